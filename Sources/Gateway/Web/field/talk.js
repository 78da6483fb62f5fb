/**
 * Push to talk: a large round button that is held, a key that is held, or a switch that keeps it on; and who talks now.
 * @module
 */

import { build, setState, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { talk as words } from "./words.js";

/** Milliseconds after which somebody who said that they talk, and nothing more, is silent. */
const longestTalk = 60_000;

/** The button and its words. */
export class Talk {
  /** Whether it stays on without being held. */
  isLocked = false;

  #live;
  #toast;
  #self;
  /** Who talks now: names by who they are. @type {Map<string, {name: string, timer: number}>} */
  #speakers = new Map();
  #button = build("button", { type: "button", id: "push-to-talk", class: "push" });
  #lock = build("button", { type: "button", id: "talk-lock", class: "lock", "aria-pressed": "false" });
  #words = build("p", { id: "speaking", role: "status" });
  #isHeld = false;

  /**
   * @param {HTMLElement} root
   * @param {{live: import("../shared/live.js").LivePeer, metadata: import("../shared/metadata.js").MetadataChannel,
   *   self: () => string, toast: import("../shared/shell.js").Shell["toast"]}} parts
   */
  constructor(root, { live, metadata, self, toast }) {
    this.#live = live;
    this.#toast = toast;
    this.#self = self;
    this.#button.append(icon("talk"), build("span", {}, words.hold));
    this.#lock.append(icon("lock"), build("span", {}, words.lock));
    root.append(this.#words, this.#button, this.#lock);
    this.#listen();
    metadata.on("speaking", (event) => this.#onSpeaking(event));
    live.addEventListener("change", () => this.render());
    this.render();
  }

  /** Names of those who talk now. */
  get speakers() {
    return [...this.#speakers.values()].map(({ name }) => name);
  }

  /** @param {boolean} isOn */
  lock(isOn) {
    this.isLocked = isOn;
    this.#apply();
  }

  /** @param {boolean} isHeld */
  hold(isHeld) {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) this.isLocked = false;
    this.#apply();
  }

  #listen() {
    const button = this.#button;
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.hold(true);
    });
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) button.addEventListener(type, () => this.hold(false));
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    // A screen reader's activation has neither a key nor a pointer: it switches.
    button.addEventListener("click", (event) => event.detail === 0 && !event.pointerType && this.lock(!this.isLocked));
    this.#lock.addEventListener("click", () => this.lock(!this.isLocked));
    document.addEventListener("keydown", (event) => this.#onKey(event, true));
    document.addEventListener("keyup", (event) => this.#onKey(event, false));
    addEventListener("blur", () => this.hold(false));
    document.addEventListener("visibilitychange", () => document.hidden && this.hold(false));
  }

  /** Space talks, unless it belongs to what has the focus. */
  #onKey(event, isDown) {
    if (event.key !== " " || event.ctrlKey || event.metaKey || event.altKey) return;
    const isOurs = event.target === this.#button;
    const isTaken = event.target.closest?.("button, a, summary, input, textarea, select, dialog, [role=tab]");
    if (!isOurs && isTaken) return isDown ? undefined : this.hold(false);
    event.preventDefault();
    if (!event.repeat) this.hold(isDown);
  }

  async #apply() {
    const isOn = this.#isHeld || this.isLocked;
    if (isOn && this.#live.state !== "connected") {
      this.isLocked = false;
      this.#toast(words.notNow, { isProblem: true });
    } else if (isOn !== this.#live.isTalking) {
      try {
        await this.#live.talk(isOn);
      } catch {
        this.isLocked = this.#isHeld = this.#live.isTalking = false;
        // Falling silent while the line goes is no problem of the microphone.
        if (isOn) this.#toast(words.noPermission, { isProblem: true });
      }
    }
    this.render();
  }

  #onSpeaking({ actor, payload }) {
    if (actor.id === this.#self()) return;
    clearTimeout(this.#speakers.get(actor.id)?.timer);
    this.#speakers.delete(actor.id);
    if (payload.on) {
      const timer = setTimeout(() => [this.#speakers.delete(actor.id), this.render()], longestTalk);
      this.#speakers.set(actor.id, { name: actor.name, timer });
    }
    this.render();
  }

  render() {
    const { isTalking } = this.#live;
    setState(this.#button, "data-on", isTalking);
    this.#button.setAttribute("aria-pressed", String(isTalking));
    setText(this.#button.querySelector("span"), isTalking ? "Talking" : words.hold);
    this.#lock.setAttribute("aria-pressed", String(this.isLocked));
    setText(this.#lock.querySelector("span"), this.isLocked ? words.unlock : words.lock);
    const { speakers } = this;
    setText(this.#words, speakers.length > 0 ? words.speaks(speakers) : isTalking ? words.talking : "");
  }
}
