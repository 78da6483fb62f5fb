/**
 * What a redacted copy is to hide: rectangles drawn over the pictures, each for a while, and spans of silence. Asked for with
 * an evidence package; a second person agrees to that, and the original stays as it is.
 * @module
 */

import { build, keepRows, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { clock } from "../shared/words.js";

/** Seconds that a new region lasts, unless it is drawn near the end. */
const standardLength = 10;
/** Parts of the picture below which a rectangle was a slip of the hand. */
const smallest = 0.01;
const maximumRegions = 256;

/**
 * @typedef {{id: number, track: string, kind: "video" | "audio", x: number, y: number, w: number, h: number, from: number, to: number}} Region
 *   parts of the picture from its upper left corner; seconds from the epoch
 */

/** The regions and their panel. */
export class Redaction {
  /** @type {Region[]} */
  regions = [];
  isDrawing = false;
  #archive;
  #player;
  #count = 0;
  #toggle;
  #list;
  #state;
  #track;
  /** The rectangle that is being drawn. */
  #draft;

  /**
   * @param {HTMLElement} root the panel
   * @param {HTMLElement} pictures the list of pictures
   * @param {import("./archive.js").Archive} archive
   * @param {import("./player.js").Player} player
   */
  constructor(root, pictures, archive, player) {
    this.#archive = archive;
    this.#player = player;
    this.#toggle = build("button", { type: "button", "aria-pressed": "false", onclick: () => this.toggle() }, icon("eyeOff"), "Draw over the picture ", build("kbd", {}, "D"));
    this.#list = build("ol", { class: "regions" });
    this.#state = build("p", { role: "status" });
    this.#track = build("select", { id: "redact-track", "aria-label": "Stream" });
    root.replaceChildren(
      build("p", { class: "hint" }, "Hide faces, plates or words in a redacted copy. Pause, draw a rectangle over the picture, then say from when to when. The original is never changed."),
      build("div", { class: "row" }, this.#toggle),
      build("div", { class: "row" }, this.#track, build("button", { type: "button", onclick: () => this.addByHand() }, icon("add"), "Add by numbers")),
      this.#state, this.#list);
    pictures.addEventListener("pointerdown", (event) => this.#begin(event));
    pictures.addEventListener("pointermove", (event) => this.#draw(event));
    pictures.addEventListener("pointerup", () => this.#finish());
    pictures.addEventListener("pointercancel", () => this.#cancel());
    this.update();
  }

  /** More streams are known. */
  update() {
    const tracks = this.#archive.tracks.filter((track) => track.fragments.length > 0);
    if (this.#track.children.length !== tracks.length) {
      const value = this.#track.value;
      this.#track.replaceChildren(...tracks.map((track) => build("option", { value: track.id }, this.#archive.nameOf(track))));
      if (value) this.#track.value = value;
    }
    this.#render();
  }

  /** As the service takes it; nothing when nothing is to be hidden. */
  get order() {
    if (this.regions.length === 0) return undefined;
    const time = (seconds) => new Date(this.#archive.wallTime(seconds)).toISOString();
    const span = ({ track, from, to }) => ({ track, from: time(from), to: time(to) });
    const video = this.regions.filter(({ kind }) => kind === "video");
    const audio = this.regions.filter(({ kind }) => kind === "audio");
    return {
      ...(video.length > 0 && { regions: video.map((region) => ({ ...span(region), x: region.x, y: region.y, w: region.w, h: region.h })) }),
      ...(audio.length > 0 && { mutes: audio.map(span) }),
    };
  }

  /** Begins or ceases to draw. */
  toggle() {
    this.isDrawing = !this.isDrawing;
    if (this.isDrawing) this.#player.pause();
    document.body.toggleAttribute("data-drawing", this.isDrawing);
    this.#toggle.setAttribute("aria-pressed", String(this.isDrawing));
    this.#render();
  }

  /** A region in the middle of the chosen picture, or a silence: all of it can be set with the keyboard. */
  addByHand() {
    const track = this.#archive.track(this.#track.value);
    if (track) this.#add(track, { x: 0.35, y: 0.35, w: 0.3, h: 0.3 });
  }

  /** Shows the rectangles of this moment. @param {number} position */
  show(position) {
    for (const region of this.regions) {
      const box = this.#box(region);
      if (!box) continue;
      box.hidden = position < region.from || position >= region.to;
      this.#place(box, region);
    }
  }

  // MARK: Drawing

  #begin(event) {
    const item = this.isDrawing && event.target.closest(".picture");
    const video = item?.querySelector?.("video");
    if (!video?.videoWidth || this.regions.length >= maximumRegions) return;
    event.preventDefault();
    item.setPointerCapture(event.pointerId);
    const box = build("span", { class: "region draft" });
    item.append(box);
    this.#draft = { item, box, from: partOf(video, event), to: partOf(video, event) };
  }

  #draw(event) {
    if (!this.#draft) return;
    this.#draft.to = partOf(this.#draft.item.querySelector("video"), event);
    this.#place(this.#draft.box, rectangle(this.#draft));
  }

  #finish() {
    if (!this.#draft) return;
    const { item } = this.#draft;
    const drawn = rectangle(this.#draft);
    this.#cancel();
    if (drawn.w < smallest || drawn.h < smallest) return;
    this.#add(this.#archive.track(item.querySelector("video").dataset.track), drawn);
  }

  #cancel() {
    this.#draft?.box.remove();
    this.#draft = undefined;
  }

  #add(track, drawn) {
    const from = Math.max(track.start, Math.min(this.#player.position, track.end - 0.5));
    const region = { id: (this.#count += 1), track: track.id, kind: track.kind, ...drawn, from, to: Math.min(track.end, from + standardLength) };
    this.regions.push(region);
    const item = this.#pictureOf(region);
    if (track.kind === "video" && item) item.append(build("span", { class: "region", dataset: { region: region.id } }, build("span", {}, String(region.id))));
    this.#render();
    this.show(this.#player.position);
  }

  #remove(id) {
    this.#box({ id })?.remove();
    this.regions = this.regions.filter((region) => region.id !== id);
    this.#render();
  }

  #pictureOf({ track }) {
    return document.querySelector(`video[data-track="${CSS.escape(track)}"]`)?.closest(".picture");
  }

  #box({ id }) {
    return document.querySelector(`.region[data-region="${id}"]`);
  }

  /** Puts a box over its part of the picture, which may leave margins at two sides. */
  #place(box, { x, y, w, h }) {
    const item = box.closest(".picture");
    const { left, top, width, height } = inner(item.querySelector("video"), item);
    Object.assign(box.style, {
      left: `${left + x * width}px`, top: `${top + y * height}px`, width: `${w * width}px`, height: `${h * height}px`,
    });
  }

  // MARK: The panel

  #render() {
    const words = this.regions.length === 0
      ? this.isDrawing ? "Draw a rectangle over a picture." : "Nothing is hidden yet."
      : `${this.regions.length} ${this.regions.length === 1 ? "part is" : "parts are"} hidden in the copy. Ask for it with “Evidence package”.`;
    setText(this.#state, words);
    keepRows(this.#list, this.regions, ({ id }) => id, (region) => this.#row(region), (row, region) => this.#update(row, region));
  }

  #row(region) {
    const { id, kind } = region;
    const here = (end) => build("button", { type: "button", onclick: () => this.#set(region, end, this.#player.position) }, end === "from" ? "From here" : "To here");
    const numbers = kind === "video" && build("div", { class: "row numbers" }, ...["x", "y", "w", "h"].map((name) => build(
      "label", {}, { x: "left", y: "top", w: "width", h: "height" }[name],
      build("input", { type: "number", min: 0, max: 100, step: 1, dataset: { part: name }, "aria-label": `${{ x: "Left", y: "Top", w: "Width", h: "Height" }[name]}, per cent`, onchange: ({ target }) => this.#set(region, name, Number(target.value) / 100) }))));
    return build(
      "li", {},
      build("p", {}, build("strong", {}, `${id} `), `${this.#archive.nameOf(this.#archive.track(region.track))}, `, build("span", { class: "span figures" })),
      build("div", { class: "row" }, here("from"), here("to"),
        build("button", { type: "button", onclick: () => this.#player.seek(region.from) }, "Go there"),
        build("button", { type: "button", onclick: () => this.#remove(id) }, icon("close"), "Remove", build("span", { class: "unseen" }, ` ${id}`))),
      numbers);
  }

  #update(row, region) {
    const { start } = this.#archive.span;
    setText(row.querySelector(".span"), `${clock(region.from - start)} to ${clock(region.to - start)}`);
    for (const input of row.querySelectorAll("input")) {
      if (document.activeElement !== input) input.value = String(Math.round(100 * region[input.dataset.part]));
    }
  }

  #set(region, name, value) {
    if (Number.isNaN(value)) return;
    region[name] = value;
    if (name === "from" && region.to <= value) region.to = Math.min(this.#archive.span.end, value + standardLength);
    if (name === "to" && region.from >= value) region.from = Math.max(this.#archive.span.start, value - standardLength);
    region.x = Math.min(1 - smallest, Math.max(0, region.x));
    region.y = Math.min(1 - smallest, Math.max(0, region.y));
    region.w = Math.min(1 - region.x, Math.max(smallest, region.w));
    region.h = Math.min(1 - region.y, Math.max(smallest, region.h));
    this.#render();
    this.show(this.#player.position);
  }
}

/** Where the picture itself is within the item: `object-fit: contain` leaves margins. */
function inner(video, item) {
  const isTurned = ["90", "270"].includes(video.dataset.turn);
  const [wide, high] = isTurned ? [video.videoHeight, video.videoWidth] : [video.videoWidth, video.videoHeight];
  const scale = Math.min(item.clientWidth / (wide || 16), item.clientHeight / (high || 9));
  const [width, height] = [(wide || 16) * scale, (high || 9) * scale];
  return { left: (item.clientWidth - width) / 2, top: (item.clientHeight - height) / 2, width, height };
}

/** A point as parts of the picture. */
function partOf(video, { clientX, clientY }) {
  const item = video.closest(".picture");
  const bounds = item.getBoundingClientRect();
  const { left, top, width, height } = inner(video, item);
  const within = (value) => Math.min(1, Math.max(0, value));
  return { x: within((clientX - bounds.left - left) / width), y: within((clientY - bounds.top - top) / height) };
}

function rectangle({ from, to }) {
  return { x: Math.min(from.x, to.x), y: Math.min(from.y, to.y), w: Math.abs(to.x - from.x), h: Math.abs(to.y - from.y) };
}

