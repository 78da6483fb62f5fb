/**
 * A clock burnt into the picture, and its reader: what a viewer's page shows tells how old it is.
 *
 * Tests put this script into the pages. It is no module, so that it can run before a page's own scripts.
 *
 * The clock is one row of 40 blocks along the upper edge, black for 0 and white for 1: 32 bits of milliseconds
 * (low bits of the wall clock) and 8 bits of CRC-8 (polynomial 0x07), most significant bit first. A block is 1/40 of the
 * picture's width and 1/20 of its height, so it survives scaling and coarse quantisation. make_fake_camera.py draws the same.
 */
(() => {
  const bitCount = 32;
  const blockCount = 40;
  const heightInRows = 20;

  const wallClock = () => performance.timeOrigin + performance.now();

  function checksum(value) {
    let crc = 0;
    for (let shift = 24; shift >= 0; shift -= 8) {
      crc ^= (value >>> shift) & 0xff;
      for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : crc << 1;
    }
    return crc;
  }

  function bits(value) {
    const code = [];
    for (let bit = bitCount - 1; bit >= 0; bit -= 1) code.push((value >>> bit) & 1);
    const crc = checksum(value);
    for (let bit = 7; bit >= 0; bit -= 1) code.push((crc >>> bit) & 1);
    return code;
  }

  function draw(context, width, height, milliseconds) {
    const blockWidth = width / blockCount;
    bits(Math.floor(milliseconds) >>> 0).forEach((bit, index) => {
      context.fillStyle = bit ? "#fff" : "#000";
      context.fillRect(index * blockWidth, 0, blockWidth, height / heightInRows);
    });
  }

  const strip = document.createElement("canvas");
  strip.width = blockCount * 8;
  strip.height = 8;
  const stripContext = strip.getContext("2d", { willReadFrequently: true });

  /** The clock's value in a video's current frame, or undefined when the checksum does not hold. */
  function read(video) {
    const { videoWidth: width, videoHeight: height } = video;
    if (!width) return undefined;
    stripContext.drawImage(video, 0, 0, width, height / heightInRows, 0, 0, strip.width, strip.height);
    const { data } = stripContext.getImageData(0, 0, strip.width, strip.height);
    let value = 0;
    let crc = 0;
    for (let index = 0; index < blockCount; index += 1) {
      const bit = isWhite(data, index) ? 1 : 0;
      if (index < bitCount) value = ((value << 1) | bit) >>> 0;
      else crc = (crc << 1) | bit;
    }
    return checksum(value) === crc ? value : undefined;
  }

  /** The mean of the inner pixels of a block: its edges have been smeared by the encoder. */
  function isWhite(data, block) {
    let sum = 0;
    for (let y = 2; y < 6; y += 1) {
      for (let x = 2; x < 6; x += 1) sum += data[4 * (y * strip.width + block * 8 + x) + 1];
    }
    return sum / 16 > 127;
  }

  /** Delays and frames seen so far; `values` are the decoded clock values, `delays` milliseconds. */
  const readings = { delays: [], values: [], unreadable: 0, frames: 0 };

  function startReading(video) {
    const each = () => {
      video.requestVideoFrameCallback(each);
      readings.frames += 1;
      const value = read(video);
      if (value === undefined) {
        readings.unreadable += 1;
        return;
      }
      const now = Math.floor(wallClock()) >>> 0;
      readings.values.push(value);
      readings.delays.push((now - value) | 0);
    };
    video.requestVideoFrameCallback(each);
  }

  /**
   * Makes getUserMedia give a canvas with the real clip and the clock of now, and the clip's sound.
   * @param {string} clip base64 of a WebM file
   */
  function installCamera(clip, { width = 1280, height = 720, framesPerSecond = 30 } = {}) {
    const source = URL.createObjectURL(new Blob([Uint8Array.from(atob(clip), (c) => c.charCodeAt(0))], { type: "video/webm" }));
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const video = Object.assign(document.createElement("video"), { src: source, loop: true });
      await video.play();
      const tracks = [];
      if (constraints.video) tracks.push(picture(video, width, height, framesPerSecond));
      if (constraints.audio) tracks.push(await sound(video));
      return new MediaStream(tracks);
    };
  }

  function picture(video, width, height, framesPerSecond) {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d", { alpha: false });
    const [track] = canvas.captureStream(framesPerSecond).getVideoTracks();
    setInterval(() => {
      context.drawImage(video, 0, 0, width, height);
      draw(context, width, height, wallClock());
    }, 1000 / framesPerSecond);
    return track;
  }

  async function sound(video) {
    // Firefox starts no AudioContext without a person's touch, but gives out what an element plays.
    if (video.mozCaptureStream) return video.mozCaptureStream().getAudioTracks()[0];
    const audio = new AudioContext();
    await audio.resume();
    const destination = audio.createMediaStreamDestination();
    audio.createMediaElementSource(video).connect(destination);
    return destination.stream.getAudioTracks()[0];
  }

  window.interopClock = { installCamera, startReading, readings, read, draw, checksum };
})();
