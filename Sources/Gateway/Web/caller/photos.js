/**
 * Photos that the caller chooses on the phone, or takes with its camera app: sent one after the other, also after the call.
 * @module
 */

import { photoName, sendFile } from "./files.js";

/** Bytes up to which a photo goes as it is; a larger one is made smaller, since the line is thin. */
const keptAsIs = 1 << 20;
/** The longer side of one that was made smaller, pixels. */
const maximumSide = 2560;
const quality = 0.85;
/** What the service takes, of what phones take. */
const types = new Set(["image/jpeg", "image/png", "image/webp", "image/heic"]);
const maximumBytes = 25 << 20;
/** Photos that wait to be sent at a time. */
const maximumWaiting = 20;
const firstBackoff = 1000;
const maximumBackoff = 15_000;
/** Milliseconds in which a photo is sent, or never: so long does the service take them after the end. */
const giveUpAfter = 600_000;

/** Dispatches `change` when {@link Photos#state} does. */
export class Photos extends EventTarget {
  /** @type {"idle" | "sending" | "waiting" | "sent" | "failed" | "tooLarge"} */
  state = "idle";
  /** How many the service has. */
  sent = 0;

  #access;
  #queue = [];
  #isSending = false;
  #wake = () => {};

  /** @param {import("../shared/access.js").Access} access */
  constructor(access) {
    super();
    this.#access = access;
    addEventListener("online", () => this.#wake());
  }

  /** @param {File} file */
  async add(file) {
    if (this.#queue.length >= maximumWaiting) return this.#enter("failed");
    this.#enter("sending");
    const photo = await prepare(file);
    if (!types.has(photo.type)) return this.#enter("failed");
    if (photo.size > maximumBytes) return this.#enter("tooLarge");
    this.#queue.push({ photo, since: performance.now() });
    return this.#sendAll();
  }

  async #sendAll() {
    if (this.#isSending) return;
    this.#isSending = true;
    let isComplete = true;
    for (; this.#queue.length > 0; this.#queue.shift()) isComplete = (await this.#send(this.#queue[0])) && isComplete;
    this.#isSending = false;
    this.#enter(isComplete ? "sent" : "failed");
  }

  async #send({ photo, since }) {
    for (let failures = 0; performance.now() - since < giveUpAfter; failures += 1) {
      this.#enter("sending");
      try {
        await sendFile(this.#access, photo, photoName());
        this.sent += 1;
        return true;
      } catch (error) {
        console.warn("sightline: a photo was not taken:", error.message);
        if (error.isFinal) return false;
      }
      this.#enter("waiting");
      await new Promise((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, Math.min(maximumBackoff, firstBackoff * 2 ** failures));
      });
    }
    return false;
  }

  #enter(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}

/** The photo as it is sent: small ones untouched, others scaled, and what the service does not take as JPEG. */
async function prepare(file) {
  if (file.size <= keptAsIs && types.has(file.type)) return file;
  try {
    const picture = await createImageBitmap(file);
    return await writeJPEG(picture, picture.width, picture.height, maximumSide, quality);
  } catch {
    // The browser cannot read it; the service may.
    return file;
  }
}

/**
 * A picture as JPEG, its longer side at most so many pixels.
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @param {number} maximum
 * @param {number} quality 0 to 1
 * @returns {Promise<Blob>}
 */
export async function writeJPEG(source, width, height, maximum, quality) {
  const scale = Math.min(1, maximum / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
  if (!blob) throw new Error("The picture could not be written.");
  return blob;
}
