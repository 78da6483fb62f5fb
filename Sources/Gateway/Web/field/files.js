/**
 * Photos and files of the incident: what there is, and a new one from this device's camera.
 * @module
 */

import { build, keepRows, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { bytes, timeOfDay } from "../shared/times.js";

/** Files in a panel. */
export class Files {
  #session;
  #path;
  #state = build("p", { role: "status" });
  #empty = build("p", { class: "empty" }, "No photos or files yet.");
  #list = build("ul", { class: "files" });
  #input = build("input", { type: "file", accept: "image/*,application/pdf", class: "unseen", tabindex: "-1", "aria-hidden": "true" });

  /** @param {HTMLElement} root @param {import("../shared/session.js").Session} session @param {string} incident */
  constructor(root, session, incident) {
    this.#session = session;
    this.#path = `/api/v1/incidents/${encodeURIComponent(incident)}/files`;
    this.#input.addEventListener("change", () => this.#add());
    const button = build("button", { type: "button", id: "add-file", onclick: () => this.#input.click() }, icon("camera"), build("span", {}, "Add a photo or file"));
    root.append(
      build("div", { class: "reading", tabindex: "0", role: "region", "aria-label": "Files" }, this.#empty, this.#list),
      build("div", { class: "writing" }, button, this.#input, this.#state));
  }

  /** @param {import("../shared/incident.js").IncidentModel} model */
  update(model) {
    this.#empty.hidden = model.files.length > 0;
    keepRows(this.#list, model.files.toReversed(), ({ file }) => file, (file) => this.#row(file));
  }

  #row(file) {
    const what = build("span", { class: "what" }, build("strong", {}, file.name), build("small", { class: "figures" }, `${file.purpose} · ${bytes(file.size)} · ${timeOfDay(file.time)}`));
    const symbol = icon(file.type.startsWith("image/") ? "still" : "file");
    return build("li", {}, build("button", { type: "button", onclick: () => this.#open(file) }, symbol, what));
  }

  /** Pictures are shown here, the rest is for the device's own programs. */
  async #open({ file, name, type }) {
    setText(this.#state, `Loading ${name}`);
    try {
      const blob = await this.#session.request("GET", `${this.#path}/${encodeURIComponent(file)}`, { as: "blob" });
      const address = URL.createObjectURL(blob);
      if (type.startsWith("image/")) showImage(name, address);
      else save(name, address);
      setText(this.#state, "");
    } catch (error) {
      setText(this.#state, error.message);
    }
  }

  async #add() {
    const [file] = this.#input.files;
    this.#input.value = "";
    if (!file) return;
    setText(this.#state, `Sending ${file.name}, ${bytes(file.size)}`);
    const purpose = file.type.startsWith("image/") ? "photo" : "document";
    try {
      await this.#session.request("POST", this.#path, {
        query: { name: file.name, purpose, visibility: "team" }, body: file, type: file.type,
      });
      setText(this.#state, `${file.name} is there for the team`);
    } catch (error) {
      setText(this.#state, error.message);
    }
  }
}

function showImage(name, address) {
  const dialog = build(
    "dialog", { class: "image", "aria-labelledby": "image-title" }, build("h2", { id: "image-title" }, name),
    build("img", { src: address, alt: name }), build("form", { method: "dialog" }, build("button", {}, "Close")));
  dialog.addEventListener("close", () => [dialog.remove(), URL.revokeObjectURL(address)]);
  document.body.append(dialog);
  dialog.showModal();
}

function save(name, address) {
  build("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
