/**
 * Photos, snapshots and papers: blurred until somebody chooses to look, fetched with the person's own right.
 * @module
 */

import { build, keepRows, setState, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { bytes, timeOfDay } from "../shared/times.js";

/** What the service keeps, and as what. */
const purposes = { image: "photo", video: "clip", audio: "document", application: "document", text: "document" };

/** The tab of the files. */
export class Files {
  root;
  #current;
  #shell;
  #isShown;
  #list = build("ul", { class: "files-list" });
  #empty = build("p", { class: "hint" }, "No files yet. Snapshots and photos of the caller come here.");
  #state = build("p", { class: "hint", role: "status" });
  #visibility;
  #add;
  #form;
  /** Addresses of what was fetched, to be let go of at the end. @type {Map<string, string>} */
  #addresses = new Map();

  /**
   * @param {import("./current.js").CurrentIncident} current @param {import("../shared/shell.js").Shell} shell
   * @param {import("./desk.js").Desk} desk @param {() => boolean} isShown
   */
  constructor(current, shell, desk, isShown) {
    [this.#current, this.#shell, this.#isShown] = [current, shell, isShown];
    const input = build("input", { id: "file-input", type: "file", multiple: true, hidden: true });
    input.addEventListener("change", () => [this.#upload([...input.files]), (input.value = "")]);
    this.#visibility = build("select", { id: "file-visibility", "aria-label": "Who may see new files" }, build("option", { value: "team" }, "for the team"), build("option", { value: "everyone" }, "for everyone, the caller too"));
    this.#add = build("button", { onclick: () => input.click() }, icon("add"), "Add files");
    this.#form = build("div", { class: "file-form" }, this.#add, this.#visibility, input, build("p", { class: "hint" }, "Or drop them here."));
    this.root = build("div", { class: "files" }, this.#form, this.#state, this.#empty, this.#list);
    this.#acceptDrops();
  }

  get count() {
    return this.#current.model.files.length;
  }

  shown() {
    this.render();
  }

  focus() {
    this.#add.focus();
  }

  close() {
    for (const address of this.#addresses.values()) URL.revokeObjectURL(address);
    this.#addresses.clear();
  }

  #acceptDrops() {
    const { root } = this;
    root.addEventListener("dragover", (event) => [event.preventDefault(), root.toggleAttribute("data-drop", true)]);
    root.addEventListener("dragleave", () => root.toggleAttribute("data-drop", false));
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      root.toggleAttribute("data-drop", false);
      this.#upload([...event.dataTransfer.files]);
    });
  }

  async #upload(files) {
    const visibility = this.#visibility.value;
    for (const file of files) {
      setText(this.#state, `Sending ${file.name}, ${bytes(file.size)}`);
      try {
        const purpose = purposes[file.type.split("/")[0]] ?? "document";
        const query = { name: file.name.slice(0, 200), purpose, visibility };
        await this.#shell.session.request("POST", this.#path(""), { query, body: file, type: file.type || "application/octet-stream" });
        setText(this.#state, `${file.name} is kept.`);
      } catch (error) {
        setText(this.#state, `${file.name} was not kept. ${error.message}`);
      }
    }
  }

  #path(file) {
    return `/api/v1/incidents/${encodeURIComponent(this.#current.id)}/files${file && `/${encodeURIComponent(file)}`}`;
  }

  async #address(file) {
    if (!this.#addresses.has(file)) {
      const blob = await this.#shell.session.request("GET", this.#path(file), { as: "blob" });
      this.#addresses.set(file, URL.createObjectURL(blob));
    }
    return this.#addresses.get(file);
  }

  // MARK: Rows

  render() {
    // Nothing is fetched for a tab that nobody looks at.
    if (!this.#isShown()) return;
    const { model } = this.#current;
    setState(this.#empty, "hidden", model.files.length > 0);
    setState(this.#form, "hidden", !this.#current.may("upload"));
    keepRows(this.#list, model.files.toReversed(), ({ file }) => file, (file) => this.#row(file));
  }

  #row({ file, name, type, size, purpose, visibility, time, actor }) {
    const row = build(
      "li", { class: "file" }, type.startsWith("image/") ? this.#picture(file, name) : icon("file"),
      build("div", { class: "file-words" }, build("strong", {}, name),
        build("small", { class: "figures" }, `${purpose}, ${bytes(size)} · ${actor.name}, ${timeOfDay(time)}${visibility === "team" ? " · team" : ""}`),
        build("div", { class: "buttons" }, build("button", { class: "small", onclick: () => this.#download(file, name) }, icon("download"), "Download", build("span", { class: "unseen" }, ` ${name}`)))));
    return row;
  }

  #picture(file, name) {
    const image = build("img", { alt: "" });
    const words = build("span", {}, "Reveal");
    const button = build("button", { class: "thumb", "aria-pressed": "false", "aria-label": `Reveal ${name}` }, image, words);
    button.addEventListener("click", () => {
      const isClear = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(isClear));
      button.setAttribute("aria-label", `${isClear ? "Hide" : "Reveal"} ${name}`);
      setText(words, isClear ? "Hide" : "Reveal");
    });
    this.#address(file).then((address) => (image.src = address), (error) => setText(words, error.message));
    return button;
  }

  async #download(file, name) {
    try {
      const link = build("a", { href: await this.#address(file), download: name });
      link.click();
    } catch (error) {
      this.#shell.toast(error.message, { isProblem: true });
    }
  }
}
