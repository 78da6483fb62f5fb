/**
 * What the caller is shown: words in large letters, phrases in their own language, drawings, pictures and clips.
 * @module
 */

import { build, keepRows, replaceWhenNew, setState, setText } from "../../shared/dom.js";
import { icon } from "../../shared/icons.js";
import { tool } from "./controls.js";
import { addressOf, asClip, asPicture, canMakeClips, drawings } from "./drawings.js";
import { languageName, phrasesIn } from "./phrases.js";
import { answerWords } from "./words.js";

/** Characters of one text: a frightened person reads it once, on a phone. */
const maximumText = 200;
/** What can be shown on a phone. */
const shownTypes = /^(image\/(jpeg|png|webp)|video\/(mp4|webm))$/;
const accepted = "image/jpeg,image/png,image/webp,video/mp4,video/webm";

/** Dispatches `change` when it opens or closes. */
export class Guidance extends EventTarget {
  element;
  button;

  #session;
  #say;
  #context;
  #caller;
  #language;
  #text = build("input", { id: "guidance-text", maxlength: maximumText, autocomplete: "off", placeholder: "Large on the caller's phone" });
  #now = build("p", { class: "guidance-now", role: "status" });
  #clear = build("button", { type: "button", class: "quiet", onclick: () => this.clear() }, icon("close"), "Clear");
  #phrases = build("ul", { class: "guidance-phrases" });
  #phrasesTitle = build("h3", {}, "Phrases");
  #drawings = build("ul", { class: "guidance-drawings" });
  #files = build("ul", { class: "guidance-files" });
  #progress = build("p", { class: "guidance-progress", role: "status" });
  #choose;

  /**
   * @param {import("../../shared/session.js").Session} session
   * @param {{say: (text: string) => void}} host
   */
  constructor(session, { say }) {
    super();
    this.#session = session;
    this.#say = say;
    this.button = tool({ symbol: "guide", words: "Guide", key: "G", run: () => this.toggle(), more: { "aria-expanded": "false" } });
    const submit = (event) => {
      event.preventDefault();
      const text = this.#text.value.trim();
      if (text === "") return;
      this.#text.value = "";
      this.tell(text);
    };
    this.#choose = build("input", { type: "file", accept: accepted, class: "unseen", id: "guidance-file", onchange: () => this.#upload() });
    const chooser = build("label", { for: "guidance-file", class: "guidance-choose" }, icon("file"), "Picture or clip from this computer");
    this.#drawings.append(...drawings.map((drawing) => this.#drawingRow(drawing)));
    this.element = build(
      "section", { class: "guidance", "aria-labelledby": "guidance-title", hidden: true, onkeydown: (event) => this.#onKey(event) },
      build("header", {}, build("h2", { id: "guidance-title" }, "Guide the caller"), this.#now, this.#clear,
        build("button", { type: "button", class: "quiet", onclick: () => this.toggle() }, icon("back"), "Close", build("kbd", { "aria-hidden": "true" }, "Esc"))),
      build("form", { class: "guidance-form", onsubmit: submit }, build("label", { for: "guidance-text", class: "unseen" }, "Text for the caller"), this.#text,
        build("button", { class: "primary" }, icon("send"), "Show")),
      build("div", { class: "guidance-columns" },
        build("div", {}, this.#phrasesTitle, this.#phrases),
        build("div", {}, build("h3", {}, "Drawings and pictures"), this.#drawings, this.#files, this.#choose, chooser, this.#progress)));
    this.#loadPhrases(undefined);
  }

  /** @param {{model: import("../../shared/incident.js").IncidentModel, channel: import("../../shared/metadata.js").MetadataChannel}} context */
  open(context) {
    this.#context = context;
  }

  close() {
    this.#context = this.#caller = undefined;
    this.#text.value = "";
    setText(this.#progress, "");
    if (!this.element.hidden) this.toggle();
  }

  toggle() {
    const isOpen = this.element.hidden;
    this.element.hidden = !isOpen;
    this.button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.#text.focus();
    else if (this.element.contains(document.activeElement) || document.activeElement === document.body) this.button.focus();
    this.dispatchEvent(new Event("change"));
  }

  #onKey(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.toggle();
  }

  // MARK: Telling

  /** Shows a text until the next one. @param {string} text */
  tell(text) {
    return this.#send("guidance", text);
  }

  /** Takes away what is shown. */
  async clear() {
    const { text, file } = this.#shown;
    if (text) await this.#send("guidance", "");
    if (file) await this.#send("showFile", "");
  }

  async #send(command, argument) {
    if (!this.#context || !this.#caller) return;
    try {
      await this.#context.channel.send("command", { caller: this.#caller, command, argument });
    } catch (error) {
      this.#say(`Not shown: ${error.message}`);
    }
  }

  /** The newest text and file that the caller was sent, unless taken away since. */
  get #shown() {
    const all = this.#context?.model.commands.filter(({ caller }) => caller === this.#caller) ?? [];
    const last = (name) => {
      const found = all.findLast(({ command, status }) => command === name && !["refused", "unsupported", "failed"].includes(status));
      return found?.argument ? found : undefined;
    };
    return { text: last("guidance"), file: last("showFile"), refused: all.at(-1) };
  }

  // MARK: Drawings and files

  #drawingRow(drawing) {
    const { name, title, moving } = drawing;
    const button = (run, ...more) => build("button", { type: "button", onclick: run }, ...more);
    const layers = [name, moving].filter(Boolean).map((layer) => build("img", { src: addressOf(layer), alt: "", width: 96, height: 72 }));
    const show = button(() => this.#make(title, () => asPicture(drawing)), build("span", { class: "layers" }, ...layers), title);
    const clip = moving && canMakeClips() && button(() => this.#make(`${title}, moving`, () => asClip(drawing)), icon("play"), "As a clip");
    clip?.classList?.add("quiet");
    return build("li", {}, show, clip);
  }

  async #upload() {
    const [file] = this.#choose.files;
    this.#choose.value = "";
    if (!file) return;
    if (!shownTypes.test(file.type)) {
      return setText(this.#progress, "Phones cannot show this kind of file. Use JPEG, PNG, MP4 or WebM.");
    }
    const purpose = file.type.startsWith("video/") ? "clip" : "photo";
    await this.#make(file.name, async () => ({ blob: file, name: file.name.slice(-200), purpose }));
  }

  /** Makes a file, keeps it in the incident unless it is there already, and shows it to the caller. */
  async #make(title, make) {
    const context = this.#context;
    if (!context || !this.#caller) return;
    setText(this.#progress, `Preparing: ${title}`);
    try {
      const { blob, name, purpose } = await make();
      const known = context.model.files.find((file) => file.name === name && file.size === blob.size && file.visibility !== "team");
      const path = `/api/v1/incidents/${encodeURIComponent(context.model.id)}/files`;
      const file = known?.file ?? (await this.#session.request("POST", path, { query: { name, purpose }, body: blob, type: blob.type })).file;
      if (context !== this.#context) return;
      await this.#send("showFile", file);
      setText(this.#progress, "");
    } catch (error) {
      if (context === this.#context) setText(this.#progress, `Not shown: ${error.message}`);
    }
  }

  // MARK: Showing

  async #loadPhrases(language) {
    this.#language = language;
    const { language: found, phrases } = await phrasesIn(language);
    if (this.#language !== language) return;
    setText(this.#phrasesTitle, found === "en" ? "Phrases" : `Phrases in ${languageName(found)}`);
    this.#phrases.replaceChildren(...phrases.map(({ key, text, english }) => build(
      "li", {}, build("button", { type: "button", dataset: { phrase: key }, onclick: () => this.tell(text) },
        build("span", { lang: found, dir: "auto" }, text), found !== "en" && build("small", {}, english)))));
  }

  /** @param {{caller: string | undefined, sharing: string}} view whom it is for, and what else they are shown */
  render({ caller, sharing }) {
    this.#caller = caller;
    if (this.button.disabled !== (caller === undefined)) this.button.disabled = caller === undefined;
    if (!this.#context) return;
    const { model } = this.#context;
    const language = model.callers.get(caller)?.device.language;
    // The file of a language is asked for when somebody needs it.
    if (language !== this.#language && language !== undefined) this.#loadPhrases(language);
    this.#renderNow(sharing);
    if (this.element.hidden) return;
    const files = model.files.filter(({ type, visibility }) => shownTypes.test(type) && visibility !== "team").slice(-8);
    keepRows(this.#files, files, ({ file }) => file, ({ file, name }) =>
      build("li", {}, build("button", { type: "button", class: "quiet", onclick: () => this.#send("showFile", file) }, icon("file"), name)));
  }

  #renderNow(sharing) {
    const { text, file, refused } = this.#shown;
    const name = (command) => this.#context.model.files.find((each) => each.file === command.argument)?.name ?? "a file";
    const parts = [
      text && `“${text.argument}”, ${answerWords(text)}`, file && `${name(file)}, ${answerWords(file)}`, sharing && `your ${sharing}`,
    ].filter(Boolean);
    const isRefused = ["guidance", "showFile"].includes(refused?.command) && ["refused", "unsupported", "failed"].includes(refused.status);
    setText(this.#now, isRefused ? `Not shown, ${answerWords(refused)}` : parts.length > 0 ? `The caller sees: ${parts.join(" · ")}` : "The caller sees nothing from you");
    setState(this.#now, "data-bad", isRefused);
    this.#clear.hidden = !text && !file;
    replaceWhenNew(this.button.querySelector(".tool-words"), parts.length > 0, () => [parts.length > 0 ? "Guide (showing)" : "Guide"]);
  }
}
