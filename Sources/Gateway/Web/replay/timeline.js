/**
 * The timeline of a replay: a lane a stream and a lane a kind of happening, drawn to one scale, with the playhead over all.
 *
 * The lanes are a drawing; what it says to eyes the slider and the list of events say to everybody.
 * @module
 */

import { clock, replay as words } from "../shared/words.js";

const laneHeight = 22;
const markWidth = 3;

/** Lanes of happenings, in their order, with the kinds of cues that each shows. */
const lanes = [
  { name: "location", kinds: ["location"] },
  { name: "talk", kinds: ["chat", "note"] },
  { name: "decisions", kinds: ["decision", "people", "command"] },
  { name: "stages", kinds: ["stage"] },
  { name: "watching", kinds: ["watching"] },
  { name: "pictures", kinds: ["snapshot", "file", "revealed"] },
];

/** Dispatches `seek` with the seconds that somebody wants to go to. */
export class Timeline extends EventTarget {
  #archive;
  #element;
  #slider;
  #canvas;
  #names;
  #position = 0;
  #rows = [];

  /**
   * @param {HTMLElement} element with an `input[type=range]`, a `canvas` and an element of class `names`
   * @param {import("./archive.js").Archive} archive
   */
  constructor(element, archive) {
    super();
    this.#element = element;
    this.#archive = archive;
    this.#slider = element.querySelector("input");
    this.#canvas = element.querySelector("canvas");
    this.#names = element.querySelector(".names");
    this.#slider.addEventListener("input", () => this.#wish(Number(this.#slider.value)));
    this.#canvas.addEventListener("pointerdown", (event) => this.#drag(event));
    this.#canvas.addEventListener("pointermove", (event) => this.#drag(event));
    new ResizeObserver(() => this.draw()).observe(this.#canvas);
  }

  /** First and last moment that the timeline shows. */
  get span() {
    const { start, end } = this.#archive.span;
    return { start, end: Math.max(end, start + 1) };
  }

  /** Draws all anew: more is known, or the theme is another. */
  update() {
    const { start, end } = this.span;
    Object.assign(this.#slider, { min: start, max: end, step: 0.1 });
    this.#rows = [...this.#streams(), ...this.#happenings()];
    const names = this.#rows.map(({ name }) => name);
    if (this.#names.dataset.names !== names.join("\n")) {
      this.#names.dataset.names = names.join("\n");
      this.#names.replaceChildren(...names.map((name) => Object.assign(document.createElement("li"), { textContent: name })));
    }
    this.#canvas.style.height = `${this.#rows.length * laneHeight}px`;
    this.draw();
  }

  /** @param {number} seconds */
  show(seconds) {
    this.#position = seconds;
    const { start } = this.span;
    if (document.activeElement !== this.#slider || Math.abs(Number(this.#slider.value) - seconds) > 0.2) {
      this.#slider.value = String(seconds);
    }
    const text = words.position(clock(seconds - start), clock(this.span.end - start));
    if (this.#slider.getAttribute("aria-valuetext") !== text) this.#slider.setAttribute("aria-valuetext", text);
    this.#element.style.setProperty("--playhead", `${100 * this.#share(seconds)}%`);
  }

  #share(seconds) {
    const { start, end } = this.span;
    return Math.min(1, Math.max(0, (seconds - start) / (end - start)));
  }

  #drag(event) {
    if (event.buttons !== 1) return;
    this.#canvas.setPointerCapture(event.pointerId);
    const { left, width } = this.#canvas.getBoundingClientRect();
    const { start, end } = this.span;
    this.#wish(start + Math.min(1, Math.max(0, (event.clientX - left) / width)) * (end - start));
  }

  #wish(seconds) {
    this.dispatchEvent(new CustomEvent("seek", { detail: seconds }));
  }

  // MARK: Rows

  #streams() {
    return this.#archive.tracks.filter((track) => track.fragments.length > 0).map((track) => ({
      name: this.#archive.nameOf(track),
      bars: track.runs,
      gaps: holesBetween(track),
    }));
  }

  #happenings() {
    const { end } = this.span;
    return lanes.map(({ name, kinds }) => {
      const cues = this.#archive.cues.filter((cue) => kinds.includes(cue.kind));
      return {
        name: words.lanes[name],
        count: cues.length,
        bars: cues.filter((cue) => cue.kind === "watching").map((cue) => ({ start: cue.at, end: cue.end ?? end })),
        marks: cues.filter((cue) => cue.kind !== "watching").map(({ at }) => at),
      };
    }).filter(({ count }) => count > 0);
  }

  // MARK: Drawing

  draw() {
    const canvas = this.#canvas;
    const scale = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, this.#rows.length * laneHeight];
    if (width === 0) return;
    Object.assign(canvas, { width: Math.round(width * scale), height: Math.max(1, Math.round(height * scale)) });
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    const style = getComputedStyle(this.#element);
    const colour = (name) => style.getPropertyValue(name).trim();
    const x = (seconds) => this.#share(seconds) * width;
    const hatch = hatching(context, colour("--text-3"));
    this.#rows.forEach(({ bars = [], gaps = [], marks = [] }, row) => {
      const [top, size] = [row * laneHeight + 4, laneHeight - 8];
      context.fillStyle = colour("--surface-2");
      context.fillRect(0, top, width, size);
      context.fillStyle = colour("--p4");
      for (const { start, end } of bars) context.fillRect(x(start), top, Math.max(1, x(end) - x(start)), size);
      context.fillStyle = hatch;
      for (const { start, end } of gaps) context.fillRect(x(start), top, Math.max(2, x(end) - x(start)), size);
      context.fillStyle = colour("--text-1");
      for (const at of marks) context.fillRect(x(at) - markWidth / 2, top, markWidth, size);
    });
  }
}

/** Holes between the runs of a track. */
function holesBetween(track) {
  const { runs } = track;
  return runs.slice(1).map(({ start }, index) => ({ start: runs[index].end, end: start }));
}

/** Slanting lines: something is missing here. */
function hatching(context, colour) {
  const tile = Object.assign(document.createElement("canvas"), { width: 6, height: 6 });
  const lines = tile.getContext("2d");
  lines.strokeStyle = colour;
  lines.lineWidth = 1.5;
  lines.beginPath();
  for (const offset of [-6, 0, 6]) {
    lines.moveTo(offset, 6);
    lines.lineTo(offset + 6, 0);
  }
  lines.stroke();
  return context.createPattern(tile, "repeat");
}
