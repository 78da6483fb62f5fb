// A page that sends or watches as a test tells it, and writes down what it saw: its own statistics every 200 ms, and every
// frame that it showed. `post` is the test's: it carries the offer and brings the answer.

const READ_EVERY = 200;

class RelayPage {
  connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  readings = [];
  frames = [];
  connectedAt = 0;

  constructor() {
    this.connection.addEventListener("connectionstatechange", () => {
      if (this.connection.connectionState === "connected" && !this.connectedAt) this.connectedAt = now();
    });
    this.connection.addEventListener("track", ({ track }) => this.#show(track));
  }

  /** Sends picture and sound of the fake devices; `encodings` as in RTCRtpTransceiverInit.sendEncodings. */
  async publish({ codec = "VP8", encodings = [{}], width = 1280, height = 720, frameRate = 20 }) {
    const media = await navigator.mediaDevices.getUserMedia({ video: { width, height, frameRate }, audio: true });
    const [picture] = media.getVideoTracks();
    const video = this.connection.addTransceiver(picture, { direction: "sendonly", sendEncodings: encodings });
    this.sender = video.sender;
    prefer(video, RTCRtpSender, codec);
    this.connection.addTransceiver(media.getAudioTracks()[0], { direction: "sendonly" });
    await this.#negotiate();
  }

  /** Receives one picture and its sound. */
  async watch({ codec = "VP8" } = {}) {
    const video = this.connection.addTransceiver("video", { direction: "recvonly" });
    prefer(video, RTCRtpReceiver, codec);
    this.connection.addTransceiver("audio", { direction: "recvonly" });
    await this.#negotiate();
  }

  /** Answers an offer instead of making one, for servers that want it so: `post` brings the offer, and takes the answer. */
  async watchOffered() {
    await this.connection.setRemoteDescription({ type: "offer", sdp: await post("") });
    await this.connection.setLocalDescription();
    await post(this.connection.localDescription.sdp);
    this.#keepReading();
  }

  /** Has the encodings with these names sent, and no others. */
  async sendOnly(names) {
    const parameters = this.sender.getParameters();
    for (const encoding of parameters.encodings) encoding.active = names.includes(encoding.rid);
    await this.sender.setParameters(parameters);
  }

  async #negotiate() {
    await this.connection.setLocalDescription();
    const sdp = await post(this.connection.localDescription.sdp);
    await this.connection.setRemoteDescription({ type: "answer", sdp });
    this.#keepReading();
  }

  #keepReading() {
    setInterval(() => this.#read(), READ_EVERY);
  }

  async #read() {
    const report = [...(await this.connection.getStats()).values()];
    const streams = report.filter(({ type }) => type === "inbound-rtp" || type === "outbound-rtp");
    const pair = report.find(({ type, nominated }) => type === "candidate-pair" && nominated);
    this.readings.push({ at: now(), streams, available: pair?.availableOutgoingBitrate, roundTrip: pair?.currentRoundTripTime });
  }

  #show(track) {
    if (track.kind === "audio") {
      const audio = new Audio();
      audio.srcObject = new MediaStream([track]);
      audio.play();
      return;
    }
    const video = document.querySelector("video");
    video.srcObject = new MediaStream([track]);
    const note = (_, { presentationTime, rtpTimestamp, width, height }) => {
      this.frames.push([performance.timeOrigin + presentationTime, rtpTimestamp, width, height]);
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
  }
}

/** Milliseconds since 1970, as fine as the page may know it. */
function now() {
  return performance.timeOrigin + performance.now();
}

/** One codec and what repairs it. */
function prefer(transceiver, side, codec) {
  const wanted = [`video/${codec}`.toLowerCase(), "video/rtx"];
  const offered = side.getCapabilities("video").codecs;
  transceiver.setCodecPreferences(offered.filter(({ mimeType }) => wanted.includes(mimeType.toLowerCase())));
}

window.relayPage = new RelayPage();
