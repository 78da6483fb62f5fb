/**
 * The dark page, for people who must not be noticed: black, without a sound, with a small dot that says that it is on.
 * @module
 */

import { readAccess } from "../shared/access.js";
import { recall, remember } from "./memory.js";

/** Milliseconds between the two taps that bring the page back; one alone may be a hand in a pocket. */
const doubleTap = 700;
/** What the browser's list of pages says meanwhile. */
const blankTitle = "·";
/** Milliseconds for which the dark page says how to come back; the words tell nobody what the page is. */
const howShown = 4000;

/** Dispatches `change` when the page goes dark or comes back. */
class Silence extends EventTarget {
  #tappedAt = -Infinity;
  #focused;
  #title = "";
  #token = readAccess(location).token;

  constructor() {
    super();
    document.getElementById("silent").addEventListener("click", (event) => this.#onTap(event));
    // It also keeps keys from the page behind.
    addEventListener("keydown", (event) => this.#onKey(event), { capture: true });
    if (recall(this.#token, "silent")) this.enter();
  }

  get isOn() {
    return !document.getElementById("silent").hidden;
  }

  enter() {
    if (this.isOn) return;
    this.#focused = document.activeElement;
    this.#focused?.blur();
    this.#title = document.title;
    this.#set(true);
    document.getElementById("silent-how").hidden = false;
    setTimeout(() => {
      document.getElementById("silent-how").hidden = true;
    }, howShown);
  }

  leave() {
    if (!this.isOn) return;
    document.title = this.#title;
    this.#set(false);
    this.#focused?.focus();
  }

  #set(isOn) {
    document.getElementById("silent").hidden = !isOn;
    // Nothing behind it can be touched, read out or announced.
    document.getElementById("page").inert = isOn;
    if (isOn) document.title = blankTitle;
    document.documentElement.toggleAttribute("data-silent", isOn);
    document.getElementById("silent-how").hidden = true;
    remember(this.#token, "silent", isOn ? "yes" : undefined);
    this.dispatchEvent(new Event("change"));
  }

  #onTap({ detail, timeStamp }) {
    // A click without a pointer comes from a keyboard or a screen reader, which says itself what it does.
    if (detail === 0 || timeStamp - this.#tappedAt < doubleTap) this.leave();
    this.#tappedAt = timeStamp;
  }

  #onKey(event) {
    if (event.key !== "Escape" || !this.isOn) return;
    event.stopImmediatePropagation();
    this.leave();
  }
}

export const silence = new Silence();
