/**
 * A caller's outgoing call: the camera and microphone, the connection that carries them, and what may go wrong with either.
 * @module
 */

import { configuration, preferCodec } from "../shared/access.js";
import { MediaConnection } from "../shared/connection.js";
import { hasTorch, openCamera } from "./devices.js";
import { changeSizes, offerPicture } from "../shared/encodings.js";
import { StatisticsReader } from "../shared/statistics.js";

/** Enough for 720p at 30 frames a second; more helps nobody at an incident. Bits per second. */
const maximumVideoBitrate = 2_500_000;
const maximumAudioBitrate = 48_000;
/** Names of the sizes that a picture goes out in, smallest first. */
const sizes = ["l", "m", "h"];
const small = { maxBitrate: 150_000, scaleResolutionDownBy: 4, maxFramerate: 15 };
/**
 * What staff may ask for when a thin line has to carry other things too: the largest size that goes out, and the smaller ones
 * beside it for whoever watches over a thin line.
 * @type {Record<string, import("../shared/encodings.js").Ladder>}
 */
const qualities = {
  low: { l: { maxBitrate: 250_000, scaleResolutionDownBy: 3, maxFramerate: 15 } },
  medium: { l: small, m: { maxBitrate: 900_000, scaleResolutionDownBy: 1.5, maxFramerate: 30 } },
  high: {
    l: small,
    m: { maxBitrate: 500_000, scaleResolutionDownBy: 2, maxFramerate: 30 },
    h: { maxBitrate: maximumVideoBitrate, scaleResolutionDownBy: 1, maxFramerate: 30 },
  },
};
/** Milliseconds without a new frame after which nothing more is shown to the caller. */
const stillAfter = 2500;

/** Dispatches `change` whenever something that the page shows has changed. */
export class Call extends EventTarget {
  /** @type {import("../shared/statistics.js").Figures} */
  figures = {};
  /** @type {"environment" | "user"} */
  facing = "environment";
  isTorchOn = false;
  /** The camera ended without our doing: unplugged, or taken by another app. */
  isCameraLost = false;
  /** What the other side says. */
  voices = new MediaStream();
  /** What the other side shows, if anything: see {@link isShown}. */
  theirs = new MediaStream();
  /** @type {keyof typeof qualities} */
  quality = "high";

  #stream;
  #access;
  #connection;
  #metadata;
  #reader = new StatisticsReader("outbound-rtp");
  #theirReader = new StatisticsReader("inbound-rtp");
  #theirFrames = 0;
  #theirFrameAt = -Infinity;
  /** The phone's screen, while it is sent in place of the camera. @type {MediaStreamTrack | undefined} */
  #screen;
  #timer;

  /**
   * @param {import("../shared/access.js").Access} access
   * @param {MediaStream} stream
   * @param {RTCIceServer[]} iceServers
   * @param {import("../shared/metadata.js").MetadataChannel} metadata what the connection carries besides
   */
  constructor(access, stream, iceServers, metadata) {
    super();
    this.#metadata = metadata;
    this.#access = access;
    this.#stream = stream;
    this.#connection = new MediaConnection({
      endpoint: `/whip/${encodeURIComponent(access.incident)}`,
      token: access.token,
      configuration: configuration(access, iceServers),
      prepare: (connection) => this.#prepare(connection),
    });
    this.#connection.addEventListener("state", () => this.#changed());
    stream.getTracks().forEach((track) => this.#watch(track));
    this.#noteFacing();
  }

  start() {
    this.#timer = setInterval(() => this.#measure(), 1000);
    this.#connection.start();
  }

  /** Ends the call and lets go of the devices. */
  stop() {
    clearInterval(this.#timer);
    this.#connection.stop();
    this.#release();
  }

  /** Lets go of the devices; the call may go on in the same page after a reload. */
  leave() {
    clearInterval(this.#timer);
    this.#connection.leave();
    this.#release();
  }

  #release() {
    for (const track of [...this.#stream.getTracks(), this.#screen]) track?.stop();
    this.#screen = undefined;
  }

  get stream() {
    return this.#stream;
  }

  get connection() {
    return this.#connection;
  }

  get camera() {
    return this.#stream.getVideoTracks()[0];
  }

  get microphone() {
    return this.#stream.getAudioTracks()[0];
  }

  get isMuted() {
    return this.microphone?.enabled === false;
  }

  /** @param {boolean} isMuted */
  mute(isMuted) {
    if (!this.microphone) return;
    this.microphone.enabled = !isMuted;
    this.#changed();
  }

  get hasTorch() {
    return this.camera !== undefined && !this.isCameraLost && hasTorch(this.camera);
  }

  /** @param {boolean} isOn */
  async light(isOn) {
    if (!this.hasTorch) return;
    await this.camera.applyConstraints({ advanced: [{ torch: isOn }] });
    this.isTorchOn = isOn;
    this.#changed();
  }

  /** Whether the other side shows a picture now. */
  get isShown() {
    return performance.now() - this.#theirFrameAt < stillAfter;
  }

  // MARK: Picture

  /**
   * @param {string} name of {@link qualities}
   * @returns {Promise<boolean>} whether there is such a quality
   */
  async setQuality(name) {
    if (!Object.hasOwn(qualities, name)) return false;
    this.quality = name;
    await changeSizes(this.#videoSender, sizes, qualities[name]);
    return true;
  }

  get canShowScreen() {
    return this.camera !== undefined && navigator.mediaDevices.getDisplayMedia !== undefined;
  }

  get isScreenShown() {
    return this.#screen !== undefined;
  }

  /** Sends the phone's screen in place of the camera; it takes a tap just before. */
  async showScreen() {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 15 } });
    const [track] = stream.getVideoTracks();
    await this.#videoSender?.replaceTrack(track);
    this.#screen = track;
    track.addEventListener("ended", () => this.hideScreen());
    this.#changed();
  }

  /** Sends the camera again. */
  async hideScreen() {
    if (!this.#screen) return;
    await this.#videoSender?.replaceTrack(this.camera ?? null);
    this.#screen.stop();
    this.#screen = undefined;
    this.#changed();
  }

  /** Changes to the camera that faces the other way; the viewers see no new stream. */
  async flip() {
    const wanted = this.facing === "environment" ? "user" : "environment";
    await this.#openCamera(wanted, this.camera?.getSettings().deviceId);
  }

  /** Opens the camera again after it was lost. */
  async reopenCamera() {
    await this.#openCamera(this.facing);
  }

  async #openCamera(facing, avoid) {
    const old = this.camera;
    old?.stop();
    try {
      const track = await openCamera(facing, avoid);
      this.facing = facing;
      this.#adopt(track, old);
    } catch (error) {
      if (!avoid) throw error;
      // The other camera cannot be had: go on with the one that worked.
      this.#adopt(await openCamera(this.facing), old);
    }
  }

  #adopt(track, old) {
    if (old) this.#stream.removeTrack(old);
    this.#stream.addTrack(track);
    this.#watch(track);
    this.#noteFacing();
    this.isTorchOn = false;
    this.isCameraLost = false;
    if (!this.#screen) this.#videoSender?.replaceTrack(track);
    this.#changed();
  }

  #watch(track) {
    track.addEventListener("ended", () => {
      if (track !== this.camera) return;
      this.isCameraLost = true;
      this.#changed();
    });
  }

  #noteFacing() {
    this.facing = this.camera?.getSettings().facingMode === "user" ? "user" : "environment";
  }

  get #videoSender() {
    return this.#connection.peerConnection?.getSenders().find((sender) => sender.track?.kind === "video");
  }

  /** Adds what the call consists of: our picture and sound, slots for the others' voices and picture, the metadata channel. */
  #prepare(connection) {
    const streams = [this.#stream];
    if (this.camera) {
      const { options } = this.#access;
      const [codec, mode] = [options.get("codec"), options.get("scalability")];
      const transceiver = offerPicture(connection, this.#screen ?? this.camera, {
        names: sizes, ladder: qualities[this.quality], streams, codec, mode,
      });
      preferCodec(transceiver, codec);
      steady(transceiver.sender);
    }
    if (this.microphone) {
      const sendEncodings = [{ maxBitrate: maximumAudioBitrate }];
      connection.addTransceiver(this.microphone, { direction: "sendonly", streams, sendEncodings });
    }
    this.voices = new MediaStream([connection.addTransceiver("audio", { direction: "recvonly" }).receiver.track]);
    this.theirs = new MediaStream([connection.addTransceiver("video", { direction: "recvonly" }).receiver.track]);
    this.#theirFrames = 0;
    this.#metadata.open(connection);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  async #measure() {
    const connection = this.#connection.peerConnection;
    if (connection && connection.signalingState !== "closed") {
      const report = await connection.getStats();
      this.figures = this.#reader.read(report);
      this.#lookAtTheirs(report);
    }
    this.dispatchEvent(new Event("change"));
  }

  /** All the sound that has come from the others so far, on WebRTC's own scale. */
  heard = 0;

  /** A slot stays silent until somebody shows something, and says nothing when they stop: only frames tell. */
  #lookAtTheirs(report) {
    const { video, audio } = this.#theirReader.read(report);
    const frames = video?.frames ?? 0;
    this.heard = audio?.audioEnergy ?? 0;
    if (frames > this.#theirFrames) this.#theirFrameAt = performance.now();
    this.#theirFrames = frames;
  }
}

/** Loses sharpness and frames evenly when the line is thin; continuity beats resolution. */
async function steady(sender) {
  const parameters = sender.getParameters();
  parameters.degradationPreference = "balanced";
  await sender.setParameters(parameters).catch(() => {});
}
