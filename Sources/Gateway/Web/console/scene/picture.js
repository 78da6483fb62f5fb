/**
 * One picture of the scene, large or small: clear, hidden behind a veil that holds next to nothing, or as stills.
 * @module
 */

import { build, setSource } from "../../shared/dom.js";

/** Pixels of the veil's longer side: enough to see that something moves and how bright it is, not what. */
const veilSize = 14;
/** Milliseconds between two looks through the veil. */
const veilInterval = 400;
/** Milliseconds between two stills. */
export const stillInterval = 3000;

/** @typedef {"hidden" | "moving" | "stills"} PictureMode */

/** A box (`element`) with the live video and what may lie in its place. */
export class Picture {
  element;
  video;
  /** @type {PictureMode} */
  mode = "hidden";

  #veil = build("canvas", { class: "veil", "aria-hidden": "true" });
  #still = build("canvas", { class: "still", "aria-hidden": "true" });
  #stillAt;
  #timer;

  /** @param {string} name what the picture is called */
  constructor(name) {
    this.video = build("video", { "aria-label": name, playsinline: true, disablepictureinpicture: true, disableremoteplayback: true });
    this.video.autoplay = true;
    this.element = build("div", { class: "picture", dataset: { mode: this.mode } }, this.video, this.#still, this.#veil);
    // A browser's own menu offers ways around the veil.
    this.element.addEventListener("contextmenu", (event) => event.preventDefault());
    this.#timer = setInterval(() => this.#draw(), veilInterval);
  }

  /** @param {MediaStream | null} stream */
  show(stream) {
    if (this.video.srcObject === stream) return;
    setSource(this.video, stream);
    this.forget();
  }

  /** Somebody else's picture comes: nothing of the last one stays. */
  forget() {
    for (const canvas of [this.#veil, this.#still]) canvas.width = canvas.height = 1;
    this.#stillAt = undefined;
  }

  /** @param {PictureMode} mode */
  setMode(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    this.#stillAt = undefined;
    this.#draw();
    this.element.dataset.mode = mode;
  }

  /** Seconds since the still that is shown was taken. */
  get stillAge() {
    return this.#stillAt === undefined ? undefined : (performance.now() - this.#stillAt) / 1000;
  }

  /** A still at once. */
  renewStill() {
    this.#stillAt = undefined;
    this.#draw();
  }

  close() {
    clearInterval(this.#timer);
    setSource(this.video, null);
  }

  /** What is seen: of a recording that lies over the live picture, that one. */
  get #seen() {
    return this.element.querySelector(".look-back video[data-shown]") ?? this.video;
  }

  #draw() {
    const video = this.#seen;
    if (!video.videoWidth || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    if (this.mode === "hidden") copy(video, this.#veil, veilSize / Math.max(video.videoWidth, video.videoHeight));
    if (this.mode !== "stills" || (this.stillAge !== undefined && 1000 * this.stillAge < stillInterval - veilInterval / 2)) return;
    copy(video, this.#still, 1);
    this.#stillAt = performance.now();
  }
}

function copy(video, canvas, scale) {
  const [width, height] = [video.videoWidth, video.videoHeight].map((size) => Math.max(1, Math.round(size * scale)));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  canvas.getContext("2d").drawImage(video, 0, 0, width, height);
}
