/**
 * The list of what happened, which follows the playhead, and the place that was known then.
 * @module
 */

import { clock, replay as words } from "../shared/words.js";

/** Rows that are shown at a time; an incident may have thousands of fixes. */
const maximumRows = 2000;

/** What people look for, and the kinds of cues that it means. */
const choices = {
  All: undefined,
  Talk: new Set(["chat", "note"]),
  Decisions: new Set(["decision", "people", "command", "stage"]),
  Looks: new Set(["watching", "revealed", "archive", "snapshot", "file"]),
};

/** Dispatches `seek` with the seconds of a row that somebody wants to go to. */
export class Happenings extends EventTarget {
  #archive;
  #element;
  #rows = [];
  #current = -1;
  #choice = "All";

  /** @param {Document} page @param {import("./archive.js").Archive} archive */
  constructor(page, archive) {
    super();
    this.#archive = archive;
    this.#element = (id) => page.getElementById(id);
    this.#element("kinds").replaceChildren(...Object.keys(choices).map((name) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
      button.addEventListener("click", () => this.choose(name));
      return button;
    }));
    this.choose("All");
  }

  /** Shows only some kinds. @param {keyof typeof choices} name */
  choose(name) {
    this.#choice = name;
    for (const button of this.#element("kinds").children) button.setAttribute("aria-pressed", String(button.textContent === name));
    for (const { cue, item } of this.#rows) item.hidden = this.#isLeftOut(cue);
    this.#current = -2;
  }

  #isLeftOut({ kind }) {
    return choices[this.#choice] !== undefined && !choices[this.#choice].has(kind);
  }

  /** Places change all the time: they have a place of their own, and are no rows. */
  get #cues() {
    return this.#archive.cues.filter((cue) => cue.kind !== "location" && cue.kind !== "stream").slice(-maximumRows);
  }

  update() {
    const { start } = this.#archive.span;
    const cues = this.#cues;
    const list = this.#element("events");
    const keep = cues.findIndex((cue, index) => this.#rows[index]?.cue.number !== cue.number);
    if (keep < 0 && this.#rows.length === cues.length) return;
    const from = keep < 0 ? cues.length : keep;
    for (const { item } of this.#rows.splice(from)) item.remove();
    for (const cue of cues.slice(from)) {
      const item = this.#row(cue, start);
      item.hidden = this.#isLeftOut(cue);
      this.#rows.push({ cue, item });
      list.append(item);
    }
    this.#current = -2;
  }

  #row(cue, start) {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    const time = Object.assign(document.createElement("time"), { textContent: signed(cue.at - start) });
    const who = cue.kind === "chat" || cue.kind === "note" ? `${cue.who}: ` : "";
    button.append(time, Object.assign(document.createElement("span"), { textContent: who + cue.text }));
    button.addEventListener("click", () => this.#wish(cue.at));
    const item = document.createElement("li");
    item.dataset.kind = cue.kind;
    item.append(button);
    return item;
  }

  /** @param {number} position */
  show(position) {
    this.#showPlace(position);
    const next = this.#rows.findIndex(({ cue }) => cue.at > position + 0.001);
    const current = (next < 0 ? this.#rows.length : next) - 1;
    if (current === this.#current) return;
    this.#current = current;
    this.#rows.forEach(({ item }, index) => {
      item.classList.toggle("later", index > current);
      if (index === current) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    });
    this.#scrollTo(this.#rows[Math.max(0, current)]?.item);
  }

  /** Keeps the row in sight, unless somebody reads in the list. */
  #scrollTo(item) {
    const list = this.#element("events");
    if (!item || list.matches(":hover") || list.contains(document.activeElement)) return;
    list.scrollTop = item.offsetTop - list.offsetTop - list.clientHeight / 2;
  }

  #showPlace(position) {
    const cue = this.#archive.cues.findLast((each) => each.kind === "location" && each.at <= position);
    this.#element("place").hidden = !cue;
    if (!cue) return;
    const { lat, lon, accuracy } = cue.details ?? {};
    this.#setText("coordinates", `${lat?.toFixed(5)}, ${lon?.toFixed(5)}`);
    this.#setText("place-note", words.place(accuracy, position - cue.at));
  }

  #setText(id, text) {
    if (this.#element(id).textContent !== text) this.#element(id).textContent = text;
  }

  /** Goes to the next happening, or with -1 to the one before. */
  go(position, step) {
    const moments = this.#rows.map(({ cue }) => cue.at);
    const goal = step > 0 ? moments.find((at) => at > position + 0.05) : moments.findLast((at) => at < position - 1);
    if (goal !== undefined) this.#wish(goal);
  }

  #wish(seconds) {
    this.dispatchEvent(new CustomEvent("seek", { detail: seconds }));
  }
}

/** Seconds as a clock, with a minus before the recording began. */
function signed(seconds) {
  return seconds < -0.5 ? `−${clock(-seconds)}` : clock(seconds);
}
