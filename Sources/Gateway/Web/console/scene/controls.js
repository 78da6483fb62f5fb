/**
 * Buttons of the scene: an icon, a word, a key.
 * @module
 */

import { build, setState, setText } from "../../shared/dom.js";
import { icon } from "../../shared/icons.js";

/**
 * @param {object} wish
 * @param {string} wish.symbol name of its icon
 * @param {string} wish.words
 * @param {string} [wish.key] as the person reads it
 * @param {(event: Event) => void} [wish.run]
 * @param {Record<string, any>} [wish.more] further attributes
 * @returns {HTMLButtonElement}
 */
export function tool({ symbol, words, key, run, more = {} }) {
  return build(
    "button", { type: "button", class: "tool", "aria-keyshortcuts": key, ...(run && { onclick: run }), ...more },
    icon(symbol), build("span", { class: "tool-words" }, words), key && build("kbd", { "aria-hidden": "true" }, key));
}

/**
 * @param {HTMLButtonElement} button of {@link tool}
 * @param {{words?: string, isOn?: boolean, disabled?: boolean}} state
 */
export function setTool(button, { words, isOn, disabled }) {
  if (words !== undefined) setText(button.querySelector(".tool-words"), words);
  if (isOn !== undefined) setState(button, "aria-pressed", String(isOn));
  if (disabled !== undefined && button.disabled !== disabled) button.disabled = disabled;
}
