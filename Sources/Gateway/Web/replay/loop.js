/**
 * A part of the replay that is played again and again, from A to B.
 * @module
 */

import { build, setState, setText } from "../shared/dom.js";
import { clock } from "../shared/words.js";

/** Seconds that a loop has to be long. */
const shortest = 0.5;

/** Dispatches `change`. */
export class Loop extends EventTarget {
  /** Seconds from the epoch. @type {number | undefined} */
  start;
  /** @type {number | undefined} */
  end;
  #player;
  #origin;
  #parts;

  /**
   * @param {HTMLElement} root gets the buttons
   * @param {import("./player.js").Player} player
   * @param {() => number} origin the first moment, from which times are told
   */
  constructor(root, player, origin) {
    super();
    this.#player = player;
    this.#origin = origin;
    const button = (words, key, action) => build("button", { type: "button", onclick: action }, build("span", {}, words), " ", build("kbd", {}, key));
    this.#parts = {
      from: button("Loop from", "[", () => this.mark("start")),
      to: button("to", "]", () => this.mark("end")),
      clear: button("No loop", "\\", () => this.clear()),
    };
    root.replaceChildren(...Object.values(this.#parts));
    this.#render();
  }

  get isOn() {
    return this.start !== undefined && this.end !== undefined;
  }

  /** Sets one end to where the playhead is. @param {"start" | "end"} which */
  mark(which) {
    this[which] = this.#player.position;
    const isWrong = this.isOn && this.end - this.start < shortest;
    if (isWrong) this[which === "start" ? "end" : "start"] = undefined;
    this.#render();
  }

  clear() {
    this.start = this.end = undefined;
    this.#render();
  }

  /** Sends the playhead back where the loop ends. */
  follow() {
    if (!this.isOn || !this.#player.isPlaying) return;
    const { position } = this.#player;
    if (position >= this.end || position < this.start - 1) this.#player.seek(this.start);
  }

  #render() {
    const at = (seconds) => clock(seconds - this.#origin());
    setText(this.#parts.from.querySelector("span"), this.start === undefined ? "Loop from" : `Loop from ${at(this.start)}`);
    setText(this.#parts.to.querySelector("span"), this.end === undefined ? "to" : `to ${at(this.end)}`);
    setState(this.#parts.from, "aria-pressed", String(this.start !== undefined));
    setState(this.#parts.to, "aria-pressed", String(this.end !== undefined));
    this.#parts.clear.hidden = this.start === undefined && this.end === undefined;
    this.dispatchEvent(new Event("change"));
  }
}
