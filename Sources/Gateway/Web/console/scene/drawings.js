/**
 * Sightline's own drawings of what to do, without words so that everybody can read them; each can become a picture or a
 * short clip for the caller's phone.
 * @module
 */

/**
 * @typedef {object} Drawing
 * @property {string} name of its file
 * @property {string} title
 * @property {string} [moving] the part that moves, in a clip
 */

/** @type {Drawing[]} */
export const drawings = [
  { name: "cpr", title: "CPR: push hard and fast", moving: "cpr-hands" },
  { name: "cpr-place", title: "CPR: where the hands go" },
  { name: "recovery", title: "Recovery position" },
  { name: "bleeding", title: "Press on the bleeding" },
  { name: "away", title: "Get away from danger" },
  { name: "around", title: "Show around slowly" },
];

/** Pixels of a picture for the phone. */
const [width, height] = [960, 720];
/** Compressions a minute, and how many of them make one round of the clip. */
const [tempo, beats] = [110, 4];
/** How far the hands go down, of the picture's height. */
const depth = 0.045;
const bitrate = 900_000;
/** What phones play, best first. */
const clipTypes = ["video/mp4;codecs=avc1.42E01E", "video/webm;codecs=vp8"];

/** @param {string} name */
export const addressOf = (name) => `/assets/guides/${name}.svg`;

/**
 * A drawing as a picture for the phone.
 * @param {Drawing} drawing
 * @returns {Promise<{blob: Blob, name: string, purpose: "photo"}>}
 */
export async function asPicture({ name, moving }) {
  const layers = await Promise.all([name, moving].filter(Boolean).map(load));
  const canvas = paper();
  for (const layer of layers) canvas.getContext("2d").drawImage(layer, 0, 0, width, height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("The drawing could not be made.");
  return { blob, name: `${name}.png`, purpose: "photo" };
}

/** Whether this browser can make clips. */
export const canMakeClips = () => clipTypes.some((type) => globalThis.MediaRecorder?.isTypeSupported(type));

/**
 * The drawing's part moves in the rhythm of CPR; it takes as long to make as it plays.
 * @param {Drawing} drawing
 * @returns {Promise<{blob: Blob, name: string, purpose: "clip"}>}
 */
export async function asClip({ name, moving }) {
  const [body, hands] = await Promise.all([name, moving].map(load));
  const canvas = paper();
  const pen = canvas.getContext("2d");
  const type = clipTypes.find((each) => MediaRecorder.isTypeSupported(each));
  const beat = 60_000 / tempo;
  const draw = (elapsed) => {
    const phase = (elapsed % beat) / beat;
    // Down quickly, up as quickly: the chest has to come up again.
    const down = (1 - Math.cos(2 * Math.PI * phase)) / 2;
    pen.drawImage(body, 0, 0, width, height);
    pen.drawImage(hands, 0, down * depth * height, width, height);
  };
  draw(0);
  const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: type, videoBitsPerSecond: bitrate });
  const chunks = [];
  recorder.addEventListener("dataavailable", ({ data }) => chunks.push(data));
  const ended = new Promise((resolve, reject) => {
    recorder.addEventListener("stop", resolve, { once: true });
    recorder.addEventListener("error", () => reject(new Error("The clip could not be made.")), { once: true });
  });
  const began = performance.now();
  const timer = setInterval(() => draw(performance.now() - began), 1000 / 30);
  recorder.start();
  setTimeout(() => recorder.stop(), beats * beat);
  await ended.finally(() => clearInterval(timer));
  const [plain] = type.split(";");
  return { blob: new Blob(chunks, { type: plain }), name: `${name}.${plain.split("/")[1]}`, purpose: "clip" };
}

function paper() {
  return Object.assign(document.createElement("canvas"), { width, height });
}

async function load(name) {
  const image = Object.assign(new Image(), { src: addressOf(name) });
  await image.decode();
  return image;
}
