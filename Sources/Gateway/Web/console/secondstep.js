/**
 * Buttons for what cannot be taken back: the first press asks, the second one does it.
 * @module
 */

import { build } from "../shared/dom.js";

/** Milliseconds that the question stands. */
const patience = 5000;

/**
 * @param {string} words
 * @param {string} question such as `Withdraw? Press again`
 * @param {() => void} run
 * @param {{class?: string, label?: string}} [options] `label` names it for those who hear the page
 * @returns {HTMLButtonElement}
 */
export function secondStep(words, question, run, { class: name = "", label } = {}) {
  let timer;
  const button = build("button", { class: name, "aria-label": label }, words);
  const rest = () => {
    clearTimeout(timer);
    button.textContent = words;
    button.removeAttribute("data-asking");
    if (label) button.setAttribute("aria-label", label);
  };
  button.addEventListener("click", () => {
    if (button.hasAttribute("data-asking")) return [rest(), run()];
    button.textContent = question;
    button.removeAttribute("aria-label");
    button.setAttribute("data-asking", "");
    timer = setTimeout(rest, patience);
    return undefined;
  });
  button.addEventListener("blur", rest);
  return button;
}
