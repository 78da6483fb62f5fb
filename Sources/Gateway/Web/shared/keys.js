/**
 * What the keyboard does on a page, and the list of it behind `?`.
 * @module
 */

import { build } from "./dom.js";

/**
 * @typedef {object} Shortcut
 * @property {string} key as `KeyboardEvent.key` has it, letters small; `shift+x` with the shift key
 * @property {string} words what it does
 * @property {(event: KeyboardEvent) => void} action
 * @property {() => boolean} [when] whether it does anything now
 */

const shown = { arrowleft: "←", arrowright: "→", arrowup: "↑", arrowdown: "↓", " ": "Space", escape: "Esc" };

/** The keys of one page. They are silent while somebody writes or a dialog is open. */
export class Shortcuts {
  /** @type {Shortcut[]} */
  #shortcuts = [];
  #dialog;

  constructor() {
    this.add({ key: "?", words: "This list", action: () => this.show() });
    document.addEventListener("keydown", (event) => this.#take(event));
  }

  /** @param {...Shortcut} shortcuts */
  add(...shortcuts) {
    this.#shortcuts.push(...shortcuts);
  }

  /** Shows the list. */
  show() {
    this.#dialog?.remove();
    const rows = this.#shortcuts.map(({ key, words }) =>
      build("div", {}, build("dt", {}, build("kbd", {}, name(key))), build("dd", {}, words)));
    this.#dialog = build(
      "dialog", { class: "keys", "aria-labelledby": "keys-title" },
      build("h2", { id: "keys-title" }, "Keys"), build("dl", { tabindex: "0" }, ...rows),
      build("form", { method: "dialog" }, build("button", {}, "Close")));
    document.body.append(this.#dialog);
    this.#dialog.showModal();
  }

  #take(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog:modal")) return;
    // Escape leaves a field; the keys count again.
    if (isWriting(event.target)) return event.key === "Escape" ? event.target.blur() : undefined;
    const plain = event.key.toLowerCase();
    const pressed = event.shiftKey && plain.length === 1 && plain.toUpperCase() !== plain ? `shift+${plain}` : plain;
    // Space and Enter belong to the button that has the focus.
    if ((plain === " " || plain === "enter") && event.target.closest?.("button, a, summary, [role=button]")) return;
    const shortcut = this.#shortcuts.find(({ key, when }) => key === pressed && (when?.() ?? true));
    if (!shortcut) return;
    event.preventDefault();
    shortcut.action(event);
  }
}

function name(key) {
  const [last, ...modifiers] = key.split("+").reverse();
  const label = shown[last] ?? (last.length === 1 ? last.toUpperCase() : last);
  return [...modifiers.map((modifier) => modifier[0].toUpperCase() + modifier.slice(1)), label].join(" ");
}

function isWriting(target) {
  return target instanceof Element && target.closest("input:not([type=checkbox], [type=radio], [type=range]), textarea, select") !== null;
}
