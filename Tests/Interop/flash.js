/**
 * A camera and microphone for tests of sound against picture: a white picture and a beep at each whole second.
 *
 * Needs clock.js, whose clock is burnt into every picture: a flash is drawn with the first picture of its second, and the
 * clock in that picture says how much later than the second that was.
 */
(() => {
  const flashSeconds = 0.1;
  const beepHertz = 1000;
  /** How far ahead a beep is given to the sound card, milliseconds. */
  const lead = 300;
  const wallClock = () => performance.timeOrigin + performance.now();

  const canvas = document.createElement("canvas");

  /** Changes the size of the pictures from now on. */
  function resize(width, height) {
    Object.assign(canvas, { width, height });
  }

  function installCamera({ width = 640, height = 360, framesPerSecond = 30 } = {}) {
    resize(width, height);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const tracks = [];
      if (constraints.video) tracks.push(picture(framesPerSecond));
      if (constraints.audio) tracks.push(await sound());
      return new MediaStream(tracks);
    };
  }

  function picture(framesPerSecond) {
    const context = canvas.getContext("2d", { alpha: false });
    const [track] = canvas.captureStream(framesPerSecond).getVideoTracks();
    setInterval(() => paint(context, wallClock()), 1000 / framesPerSecond);
    return track;
  }

  function paint(context, now) {
    const { width, height } = canvas;
    const isFlash = now % 1000 < flashSeconds * 1000;
    context.fillStyle = isFlash ? "#fff" : "#222";
    context.fillRect(0, 0, width, height);
    // Something that moves, so that there is a picture to encode.
    context.fillStyle = "#36c";
    const angle = (now / 2000) * Math.PI;
    context.fillRect(width * (0.45 + 0.4 * Math.sin(angle)), height * (0.75 + 0.1 * Math.cos(angle)), width / 10, height / 10);
    window.interopClock.draw(context, width, height, now);
  }

  async function sound() {
    const audio = new AudioContext({ sampleRate: 48000 });
    await audio.resume();
    const destination = audio.createMediaStreamDestination();
    const tone = audio.createOscillator();
    const gate = audio.createGain();
    tone.frequency.value = beepHertz;
    gate.gain.value = 0;
    tone.connect(gate).connect(destination);
    tone.start();
    let next = Math.ceil(wallClock() / 1000 + 1) * 1000;
    setInterval(() => {
      const now = wallClock();
      if (next - now > lead) return;
      const at = audio.currentTime + (next - now) / 1000;
      gate.gain.setValueAtTime(0.5, at);
      gate.gain.setValueAtTime(0, at + flashSeconds);
      next += 1000;
    }, 20);
    return destination.stream.getAudioTracks()[0];
  }

  window.interopFlash = { installCamera, resize };
})();
