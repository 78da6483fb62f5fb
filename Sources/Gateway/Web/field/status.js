/**
 * The status of one's own unit: four big buttons of which the next sensible one is the biggest.
 * @module
 */

import { build, element, keepRows, setState } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { statusWords } from "../shared/mapplaces.js";
import { status as words } from "./words.js";

/** Milliseconds in which a status can be taken back. */
export const undoTime = 5000;

/** What usually comes after each; only ambulances transport. */
function nextOf(status, service) {
  const transports = service === undefined || service === "ems";
  return {
    assigned: "acknowledged", acknowledged: "enroute", enroute: "onscene",
    onscene: transports ? "transporting" : "available", transporting: "atHospital", atHospital: "available",
  }[status];
}

/** The four that are offered; each keeps its place. */
function offered(status) {
  const isTaken = status !== "assigned";
  const isTransporting = status === "transporting" || status === "atHospital";
  return [isTaken ? "available" : "acknowledged", "enroute", "onscene", isTransporting ? "atHospital" : "transporting"];
}

/** The strip. */
export class StatusStrip {
  #metadata;
  #unit;
  #toast;
  /** The earlier status while the last one can be taken back. */
  #undoable;
  #timer;
  /** Leaving cannot be taken back once it is said: it waits. */
  #isLeaving = false;
  #entry;
  /** Said and not yet in the journal. */
  #wanted;

  /**
   * @param {{metadata: import("../shared/metadata.js").MetadataChannel, unit: string | undefined,
   *   toast: import("../shared/shell.js").Shell["toast"]}} parts
   */
  constructor({ metadata, unit, toast }) {
    this.#metadata = metadata;
    this.#unit = unit;
    this.#toast = toast;
  }

  /** Whether one's own unit said by itself that it is available. */
  hasLeft = false;

  get status() {
    return this.#wanted ?? this.#entry?.status;
  }

  get isOnIt() {
    return this.#entry !== undefined && !this.#entry.isStoodDown;
  }

  /** @param {import("../shared/incident.js").IncidentModel} model */
  update(model) {
    this.#entry = this.#unit ? model.units.get(this.#unit) : undefined;
    if (this.#entry?.status === this.#wanted) this.#wanted = undefined;
    this.#render(model.isLoaded);
  }

  /** The button at a place of the strip, for the keyboard. @param {number} index */
  press(index) {
    if (this.isOnIt) this.choose(offered(this.status)[index]);
  }

  /** @param {string} status */
  choose(status) {
    if (status === this.status || this.#isLeaving) return;
    if (status === "available") return this.#leave();
    const before = this.status;
    this.#say(status);
    // A unit that is under way cannot go back to not having heard of it.
    this.#offerUndo(before === "assigned" ? undefined : before);
  }

  undo() {
    clearTimeout(this.#timer);
    const before = this.#undoable;
    this.#undoable = undefined;
    if (this.#isLeaving) this.#isLeaving = false;
    else if (before) this.#say(before);
    this.#render(true);
  }

  #leave() {
    this.#isLeaving = true;
    clearTimeout(this.#timer);
    this.#undoable = this.status;
    this.#timer = setTimeout(() => {
      this.hasLeft = true;
      this.#isLeaving = false;
      this.#undoable = undefined;
      this.#say("available");
    }, undoTime);
    this.#render(true);
  }

  #offerUndo(before) {
    clearTimeout(this.#timer);
    this.#undoable = before;
    this.#timer = setTimeout(() => {
      this.#undoable = undefined;
      this.#render(true);
    }, undoTime);
    this.#render(true);
  }

  async #say(status) {
    this.#wanted = status;
    this.#render(true);
    try {
      await this.#metadata.send("unit.status", { unit: this.#unit, status });
    } catch (error) {
      if (this.#metadata.state !== "lost") this.#toast(error.message, { isProblem: true });
      this.hasLeft &&= this.#metadata.state === "lost";
    }
    if (this.#wanted === status) this.#wanted = undefined;
    this.#render(true);
  }

  #render(isLoaded) {
    const strip = element("statuses");
    strip.hidden = !this.isOnIt;
    this.#renderWords(isLoaded);
    if (!this.isOnIt) return;
    const next = nextOf(this.status, this.#entry.service);
    const all = offered(this.status);
    keepRows(
      strip, all.map((status, place) => ({ status, place })), ({ place }) => place,
      ({ place }) => build("button", { type: "button", onclick: () => this.press(place) }),
      (button, { status }) => {
        const isNow = status === this.status;
        setState(button, "aria-pressed", isNow ? "true" : "false");
        setState(button, "data-next", status === next);
        button.disabled = this.#isLeaving;
        if (button.dataset.status === status && button.dataset.now === String(isNow)) return;
        Object.assign(button.dataset, { status, now: String(isNow) });
        button.replaceChildren(...(isNow ? [icon("check")] : []), build("span", {}, words.buttons[status]));
      });
  }

  #renderWords(isLoaded) {
    const line = element("dock-state");
    const isUndoable = this.#isLeaving || this.#undoable !== undefined;
    const text = this.#isLeaving ? words.leaving : this.isOnIt ? words.said(statusWords[this.status]) : !isLoaded ? "" : this.#unit ? words.notOnIt : words.noUnit;
    if (line.dataset.text === `${text} ${isUndoable}`) return;
    line.dataset.text = `${text} ${isUndoable}`;
    const undo = build("button", { type: "button", id: "undo", onclick: () => this.undo() }, words.undo);
    line.replaceChildren(build("span", {}, text), ...(isUndoable ? [undo] : []));
  }
}
