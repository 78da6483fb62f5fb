/**
 * Notes: what staff and units write down; some may be given to guests.
 * @module
 */

import { build, keepRows, setState, setText } from "../shared/dom.js";
import { timeOfDay } from "../shared/times.js";
import { roles } from "./words.js";

/** The tab of the notes. */
export class Notes {
  root;
  #current;
  #list = build("ol", { class: "notes-list" });
  #empty = build("p", { class: "hint" }, "No notes yet.");
  #input = build("textarea", { id: "note-text", rows: "3", maxlength: "4000", placeholder: "Enter saves; Shift Enter begins a line" });
  #guests = build("input", { type: "checkbox", id: "note-guests" });
  #form;

  /** @param {import("./current.js").CurrentIncident} current */
  constructor(current) {
    this.#current = current;
    this.#form = build(
      "form", { class: "form", onsubmit: (event) => [event.preventDefault(), this.#save()] },
      build("label", { for: "note-text" }, "New note"), this.#input,
      build("div", { class: "row spread" }, build("label", { class: "choice" }, this.#guests, "Guests may read it"), build("button", { class: "primary" }, "Save")));
    this.#input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#save();
    });
    this.root = build("div", { class: "notes" }, this.#form, this.#empty, this.#list);
  }

  get count() {
    return this.#current.model.notes.length;
  }

  focus() {
    this.#input.focus();
  }

  async #save() {
    const text = this.#input.value.trim();
    if (!text) return;
    const guests = this.#guests.checked;
    this.#input.value = "";
    this.#guests.checked = false;
    const number = await this.#current.happen("note", { text, ...(guests && { guests: true }) });
    // What was not taken is not lost.
    if (number === undefined) this.#input.value ||= text;
  }

  render() {
    const { model } = this.#current;
    const guests = new Set(model.events.filter(({ kind, payload }) => kind === "note" && payload.guests).map(({ number }) => number));
    setState(this.#empty, "hidden", model.notes.length > 0);
    setState(this.#form, "hidden", !this.#current.may("note"));
    keepRows(this.#list, model.notes.toReversed(), ({ number }) => number, ({ number, text, time, actor }) => {
      const row = build("li", {}, build("p", {}), build("small", { class: "figures" }));
      setText(row.firstChild, text);
      setText(row.lastChild, `${timeOfDay(time)} · ${actor.name}, ${roles[actor.role] ?? actor.role}${guests.has(number) ? " · guests read it" : ""}`);
      return row;
    });
  }
}
