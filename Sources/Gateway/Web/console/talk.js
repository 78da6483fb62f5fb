/**
 * Conversations in writing: with everybody in the incident, and among the team alone; and phrases in the caller's language.
 * @module
 */

import { Chat } from "../shared/chat.js";
import { build, setState, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { languageName } from "./device.js";
import { loadPhrases } from "./phrases.js";

/** Milliseconds between two signs that one types, and until the other's has faded. */
const typingPause = 3000;
const typingFades = 5000;
const channels = {
  everyone: { name: "Everyone", hint: "The caller and guests read this." },
  team: { name: "Team", hint: "Staff and units alone read this." },
};

/** The tab of the chat. */
export class Talk {
  root;
  #current;
  #chosen = "everyone";
  #chats = {};
  #boxes = {};
  #buttons = {};
  #isShown;
  #phrases;
  #language;
  /** Who types, and until when that counts. @type {Map<string, {name: string, to: string, text: string, until: number}>} */
  #typing = new Map();
  #typedAt = -Infinity;
  #ends;

  /**
   * @param {import("./current.js").CurrentIncident} current @param {import("../shared/shell.js").Shell} shell
   * @param {import("./desk.js").Desk} desk @param {() => boolean} isShown
   */
  constructor(current, shell, desk, isShown) {
    this.#current = current;
    this.#isShown = isShown;
    const self = shell.session.person.id;
    for (const to of Object.keys(channels)) this.#makeChat(to, self);
    this.#phrases = build("details", { class: "phrases" }, build("summary", {}, "Quick phrases"), build("ul", {}));
    const choice = build("div", { class: "switch", role: "group", "aria-label": "Who reads it" }, ...Object.values(this.#buttons));
    this.root = build("div", { class: "talk" }, choice, ...Object.values(this.#boxes), this.#phrases);
    this.#choose("everyone");
    const { channel } = current;
    this.#ends = [
      channel.on("typing", ({ actor, payload }) => actor.id !== self && this.#onTyping(actor, payload, "")),
      channel.on("text.live", ({ actor, payload }) => actor.id !== self && this.#onTyping(actor, { ...payload, on: true }, payload.text)),
      channel.on("chat", ({ actor }) => this.#typing.delete(actor.id)),
    ];
  }

  #makeChat(to, self) {
    const { name, hint } = channels[to];
    const count = build("span", { class: "tab-count figures", hidden: true });
    this.#buttons[to] = build("button", { id: `chat-with-${to}`, onclick: () => this.#choose(to) }, name, count);
    const typing = build("p", { class: "typing", role: "status" });
    const input = build("textarea", { id: `chat-text-${to}`, rows: "2", "aria-label": `Message to ${name.toLowerCase()}`, placeholder: hint });
    input.addEventListener("input", () => this.#tellTyping(to));
    const box = build(
      "div", { class: `chat ${to}` }, build("p", { class: "hint" }, hint),
      build("div", { class: "log", tabindex: "0", role: "log", "aria-label": `Messages to ${name.toLowerCase()}` }, build("ol", {})), build("div", {}, typing, build("p", { "data-state": true })),
      build("form", {}, input, build("button", { title: "Send (Enter)" }, icon("send"), build("span", { class: "unseen" }, "Send"))));
    this.#boxes[to] = Object.assign(box, { typing, input, unreadMark: count });
    this.#chats[to] = new Chat(box, this.#current.channel, () => self, () => this.#isShown() && this.#chosen === to && box.isConnected, to);
  }

  /** Messages that nobody here has seen. */
  get count() {
    return Object.values(this.#chats).reduce((sum, { unread }) => sum + unread.length, 0);
  }

  get hasNews() {
    return this.count > 0;
  }

  #choose(to) {
    this.#chosen = to;
    for (const each of Object.keys(channels)) {
      this.#boxes[each].hidden = each !== to;
      this.#buttons[each].setAttribute("aria-pressed", String(each === to));
    }
    this.shown();
  }

  shown() {
    this.#chats[this.#chosen].look();
  }

  focus() {
    this.#boxes[this.#chosen].input.focus();
  }

  close() {
    for (const end of this.#ends) end();
  }

  // MARK: Typing

  #tellTyping(to) {
    const now = performance.now();
    if (now - this.#typedAt < typingPause) return;
    this.#typedAt = now;
    this.#current.channel.sendEphemeral("typing", { on: true, ...(to === "team" && { to }) });
  }

  #onTyping({ id, name }, { on, to = "everyone" }, characters) {
    if (!on) return this.#typing.delete(id);
    const text = characters === "" ? "" : typed(this.#typing.get(id)?.text ?? "", characters);
    this.#typing.set(id, { name, to, text, until: performance.now() + typingFades });
    return this.render();
  }

  // MARK: Phrases

  async #loadPhrases(language) {
    this.#language = language;
    const phrases = await loadPhrases(language);
    if (this.#language !== language) return;
    setState(this.#phrases, "hidden", phrases.length === 0);
    setText(this.#phrases.firstElementChild, `Quick phrases in ${languageName(phrases[0]?.language)}`);
    this.#phrases.lastElementChild.replaceChildren(...phrases.map(({ text, english, language: lang, direction }) => build(
      "li", {}, build("button", { onclick: () => this.#say(text, lang) },
        build("span", { lang, dir: direction }, text), text !== english && build("small", {}, english)))));
  }

  #say(text, language) {
    this.#choose("everyone");
    this.#current.happen("chat", { text, language });
  }

  render() {
    const { model } = this.#current;
    const language = model.headline?.device.language ?? "en";
    if (language !== this.#language) this.#loadPhrases(language);
    const now = performance.now();
    for (const [id, { until }] of this.#typing) if (until < now) this.#typing.delete(id);
    for (const to of Object.keys(channels)) {
      const others = [...this.#typing.values()].filter((each) => each.to === to);
      setText(this.#boxes[to].typing, others.map(({ name, text }) => (text ? `${name}: ${text}` : `${name} is writing`)).join(" · "));
      const { unreadMark } = this.#boxes[to];
      setText(unreadMark, String(this.#chats[to].unread.length));
      setState(unreadMark, "hidden", this.#chats[to].unread.length === 0);
      setState(this.#boxes[to].input, "disabled", model.isClosed || !this.#current.may("chat"));
    }
    setState(this.#phrases, "data-off", model.isClosed);
  }
}

/** Real-time text: U+0008 takes the last character away, U+2028 begins a line. */
function typed(before, characters) {
  let text = before;
  for (const character of characters) {
    if (character === "\u0008") text = [...text].slice(0, -1).join("");
    else text = character === "\u2028" ? "" : text + character;
  }
  return text;
}
