/**
 * What forms of staff pages share: fields with their labels, saying what is wrong beside them, asking twice, copying.
 * @module
 */

import { build, setState, setText } from "./dom.js";

let count = 0;

/**
 * A labelled input.
 * @param {string} label
 * @param {HTMLElement} input gets an id if it has none
 * @param {string | Node} [hint]
 * @returns {HTMLElement}
 */
export function field(label, input, hint) {
  input.id ||= `field-${(count += 1)}`;
  const note = hint && build("p", { class: "hint", id: `${input.id}-hint` }, hint);
  if (note) input.setAttribute("aria-describedby", note.id);
  return build("div", { class: "field" }, build("label", { for: input.id }, label), input, note);
}

/**
 * A form that says "Saving…" while it is sent, and what the service says against it.
 * @param {{submit: string, busy?: string, send: () => Promise<void>, extra?: Node[], className?: string}} what
 * @param {...Node} children
 * @returns {HTMLFormElement}
 */
export function form({ submit, busy = "Saving…", send, extra = [], className = "form" }, ...children) {
  const problem = build("p", { class: "problem", role: "alert" });
  const button = build("button", { class: "primary" }, submit);
  const take = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    setText(problem, "");
    setState(button, "disabled", true);
    setText(button, busy);
    try {
      await send();
    } catch (error) {
      setText(problem, inWords(error));
    } finally {
      setState(button, "disabled", false);
      setText(button, submit);
    }
  };
  return build("form", { class: className, onsubmit: take }, ...children, problem, build("div", { class: "row-end" }, button, ...extra));
}

/** An error as a sentence for a person; the name of a field in front of it is left out. @param {Error} error */
export function inWords(error) {
  const text = error.name === "ServiceError" ? error.message : "Something went wrong on this page. Load it again.";
  if (error.name !== "ServiceError") console.error(error);
  const plain = text.replace(/^[a-zA-Z]+: /, "");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

/**
 * Asks before something that cannot be undone.
 * @param {{title: string, text: string | Node, action: string, run: () => Promise<void>, fields?: Node[], danger?: boolean}} what
 */
export function ask({ title, text, action, run, fields = [], danger = true }) {
  const close = () => dialog.close();
  const body = form(
    {
      submit: action, busy: "Working…", extra: [build("button", { type: "button", onclick: close }, "Cancel")],
      send: async () => {
        await run();
        close();
      },
    },
    typeof text === "string" ? build("p", {}, text) : text, ...fields);
  const dialog = build("dialog", { "aria-labelledby": "ask-title" }, build("h2", { id: "ask-title" }, title), body);
  if (danger) body.querySelector("button.primary").className = "danger";
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * A button that copies a text and says so.
 * @param {() => string} text
 * @param {string} [label]
 */
export function copyButton(text, label = "Copy") {
  const button = build("button", { type: "button" }, label);
  const status = build("span", { class: "unseen", role: "status" });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      setText(button, "Copied");
      setText(status, "Copied");
    } catch {
      setText(button, "Select it and copy");
    }
    setTimeout(() => [setText(button, label), setText(status, "")], 2000);
  });
  return build("span", {}, button, status);
}

/** A password that nobody has chosen: four groups that can be read out. */
export function makePassword() {
  // Without letters and digits that look alike; 31 of 256 values each, the rest is drawn again.
  const letters = "abcdefghjkmnpqrstuvwxyz23456789";
  const group = () => {
    let text = "";
    while (text.length < 4) {
      const [value] = crypto.getRandomValues(new Uint8Array(1));
      if (value < 248) text += letters[value % letters.length];
    }
    return text;
  };
  return [group(), group(), group(), group()].join("-");
}
