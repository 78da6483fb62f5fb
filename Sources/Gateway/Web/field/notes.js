/**
 * What is known of the incident in writing: place, answers, notes; and a new note.
 * @module
 */

import { build, keepRows, replaceWhenNew, setText } from "../shared/dom.js";
import { timeOfDay } from "../shared/times.js";

/** Notes in a panel. */
export class Notes {
  #metadata;
  #facts = build("dl", { class: "facts" });
  #empty = build("p", { class: "empty" }, "No notes yet.");
  #list = build("ol", { class: "notes", reversed: true });
  #text = build("textarea", { id: "note-text", rows: 2, maxlength: 4000, "aria-label": "New note for the team" });
  #problem = build("p", { class: "problem", role: "alert" });

  /** @param {HTMLElement} root @param {import("../shared/metadata.js").MetadataChannel} metadata */
  constructor(root, metadata) {
    this.#metadata = metadata;
    const form = build(
      "form", { class: "writing", onsubmit: (event) => this.#send(event) }, this.#text, build("button", {}, "Add note"), this.#problem);
    root.append(build("div", { class: "reading", tabindex: "0", role: "region", "aria-label": "Facts and notes" }, this.#facts, this.#empty, this.#list), form);
  }

  /** @param {import("../shared/incident.js").IncidentModel} model */
  update(model) {
    const facts = [["Place", model.place?.text], ["Type", model.type], ...Object.entries(model.triage)].filter(([, value]) => value);
    replaceWhenNew(this.#facts, facts, () => facts.map(([name, value]) => build("div", {}, build("dt", {}, name), build("dd", {}, value))));
    this.#empty.hidden = model.notes.length > 0;
    const make = ({ time, actor, text }) =>
      build("li", {}, build("small", { class: "figures" }, `${timeOfDay(time)} · ${actor.name}`), build("p", {}, text));
    keepRows(this.#list, model.notes.toReversed(), ({ number }) => number, make);
  }

  async #send(event) {
    event.preventDefault();
    const text = this.#text.value.trim();
    if (!text) return;
    this.#text.value = "";
    setText(this.#problem, "");
    try {
      await this.#metadata.send("note", { text });
    } catch (error) {
      this.#text.value ||= text;
      setText(this.#problem, error.message);
    }
  }
}
