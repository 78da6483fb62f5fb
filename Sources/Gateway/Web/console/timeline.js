/**
 * Everything that happened, newest first, in plain words.
 * @module
 */

import { build, keepRows, setState } from "../shared/dom.js";
import { timeOfDay } from "../shared/times.js";
import { readChoice, writeChoice } from "./choices.js";
import { describe, groups } from "./eventwords.js";

/** Rows that are shown at first, and how many more at a press. */
const page = 150;

/** The tab of the timeline. */
export class Timeline {
  root;
  #current;
  #isShown;
  #list = build("ol", { class: "timeline-list", tabindex: "0", "aria-label": "What happened, newest first" });
  #more;
  #shown = page;
  #hidden = new Set(readChoice("timeline", { hidden: ["place"] }).hidden);
  #drawn = "";

  /** @param {import("./current.js").CurrentIncident} current @param {object} shell @param {object} desk @param {() => boolean} isShown */
  constructor(current, shell, desk, isShown) {
    [this.#current, this.#isShown] = [current, isShown];
    const filters = Object.entries(groups).map(([name, words]) => {
      const button = build("button", { class: "small", "aria-pressed": String(!this.#hidden.has(name)), onclick: () => this.#toggle(name, button) }, words);
      return button;
    });
    this.#more = build("button", { class: "small", onclick: () => [this.#shown += page, this.render()] }, "Show older");
    this.root = build("div", { class: "timeline" }, build("div", { class: "answers", role: "group", "aria-label": "Show" }, ...filters), this.#list, this.#more);
  }

  #toggle(name, button) {
    if (!this.#hidden.delete(name)) this.#hidden.add(name);
    button.setAttribute("aria-pressed", String(!this.#hidden.has(name)));
    writeChoice("timeline", { hidden: [...this.#hidden] });
    this.render();
  }

  shown() {
    this.render();
  }

  focus() {
    this.#list.focus({ preventScroll: true });
  }

  render() {
    if (!this.#isShown()) return;
    const { model } = this.#current;
    const state = JSON.stringify([model.events.at(-1)?.number, this.#shown, [...this.#hidden]]);
    if (state === this.#drawn) return;
    this.#drawn = state;
    const rows = [];
    for (const event of model.events.toReversed()) {
      const row = describe(event, model);
      if (row && !this.#hidden.has(row.group)) rows.push({ ...row, number: event.number, time: event.time });
      if (rows.length > this.#shown) break;
    }
    setState(this.#more, "hidden", rows.length <= this.#shown);
    keepRows(this.#list, rows.slice(0, this.#shown), ({ number }) => number, ({ time, who, text, group }) => build(
      "li", { dataset: { group } }, build("time", { class: "figures", datetime: time }, timeOfDay(time)), build("p", {}, who && build("strong", {}, who, " "), text)));
  }
}
