/**
 * The three columns: how wide they are, which are put away, and, where there is room for one alone, which is shown.
 * @module
 */

import { build } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { readChoice, writeChoice } from "./choices.js";

const columns = {
  queue: { name: "Queue", width: 280, least: 220, most: 440, sign: 1 },
  context: { name: "Details", width: 360, least: 280, most: 620, sign: -1 },
};
/** Pixels that an arrow key moves a border. */
const step = 16;

/** Keeps the layout and brings it back after a reload. */
export class Layout {
  #root;
  #choices;
  #handles = {};
  #panes;

  /** @param {HTMLElement} root holds the columns */
  constructor(root) {
    this.#root = root;
    this.#choices = readChoice("layout", { widths: {}, away: [] });
    const work = root.querySelector("#work");
    for (const [name, column] of Object.entries(columns)) {
      const handle = this.#handle(name, column);
      this.#handles[name] = handle;
      if (name === "queue") work.before(handle);
      else work.after(handle);
    }
    this.#panes = this.#paneBar();
    root.after(this.#panes);
    this.show("queue");
    this.#apply();
  }

  /** @returns {import("../shared/keys.js").Shortcut[]} */
  get shortcuts() {
    return [
      { key: "[", words: "Put the queue away or bring it back", action: () => this.toggle("queue") },
      { key: "]", words: "Put the details away or bring them back", action: () => this.toggle("context") },
    ];
  }

  isAway(name) {
    return this.#choices.away.includes(name);
  }

  /** @param {"queue" | "context"} name @param {boolean} [isAway] */
  toggle(name, isAway = !this.isAway(name)) {
    this.#choices.away = this.#choices.away.filter((each) => each !== name);
    if (isAway) this.#choices.away.push(name);
    this.#save();
  }

  /** Where one column is shown at a time: this one. @param {"queue" | "work" | "context"} pane */
  show(pane) {
    this.#root.dataset.pane = pane;
    for (const button of this.#panes.children) button.setAttribute("aria-pressed", String(button.dataset.pane === pane));
    if (pane !== "work" && this.isAway(pane) && matchMedia("(max-width: 899px)").matches) this.toggle(pane, false);
  }

  #paneBar() {
    const button = (pane, words, symbol) =>
      build("button", { dataset: { pane }, onclick: () => this.show(pane) }, icon(symbol), words);
    return build("nav", { class: "panes", "aria-label": "Parts of the page" },
      button("queue", "Queue", "list"), button("work", "Scene", "camera"), button("context", "Details", "note"));
  }

  #handle(name, { name: words, least, most, sign, width }) {
    const handle = build("div", {
      class: "handle", role: "separator", tabindex: "0", "aria-orientation": "vertical", "aria-label": `Width of ${words.toLowerCase()}`,
      "aria-valuemin": least, "aria-valuemax": most, "aria-valuenow": width, dataset: { of: name }, title: "Drag, or arrow keys; Enter puts it away",
    });
    handle.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -step, ArrowRight: step }[event.key];
      if (event.key === "Enter") this.toggle(name);
      else if (move) this.#resize(name, this.#width(name) + sign * move);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    handle.addEventListener("dblclick", () => this.toggle(name));
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      const [from, before] = [event.clientX, this.#width(name)];
      const drag = (moved) => this.#resize(name, before + sign * (moved.clientX - from));
      handle.addEventListener("pointermove", drag);
      handle.addEventListener("lostpointercapture", () => handle.removeEventListener("pointermove", drag), { once: true });
    });
    return handle;
  }

  #width(name) {
    return this.#choices.widths[name] ?? columns[name].width;
  }

  #resize(name, width) {
    const { least, most } = columns[name];
    this.#choices.widths[name] = Math.round(Math.min(most, Math.max(least, width)));
    this.#choices.away = this.#choices.away.filter((each) => each !== name);
    this.#save();
  }

  #save() {
    writeChoice("layout", this.#choices);
    this.#apply();
  }

  #apply() {
    for (const name of Object.keys(columns)) {
      const width = this.#choices.widths[name];
      if (width === undefined) this.#root.style.removeProperty(`--${name}`);
      else this.#root.style.setProperty(`--${name}`, `${width}px`);
      this.#root.toggleAttribute(`data-${name}-away`, this.isAway(name));
      this.#handles[name].setAttribute("aria-valuenow", this.isAway(name) ? columns[name].least : this.#width(name));
    }
  }
}
