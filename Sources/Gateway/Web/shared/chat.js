/**
 * The conversation in writing: what was said, what has arrived, and what has been read.
 * @module
 */

import { chat as english } from "./words.js";

/** Messages that stay on the page; the rest is in the journal. */
const maximumMessages = 200;
/** Longest message, characters; the service takes 4,000. */
const maximumText = 2000;
/** Milliseconds that marks wait for more of their kind. */
const markPause = 300;

/**
 * @typedef {object} Message
 * @property {number} number of its event; 0 while it waits
 * @property {string} text
 * @property {"everyone" | "team"} [to] whom it is for; everyone if not given
 * @property {string} time
 * @property {string} name whose it is
 * @property {string} role
 * @property {boolean} isOwn
 * @property {string} problem why it was not taken
 */

/**
 * Shows the conversation in an element that holds a scrolling box (`.log`) with a list (`ol`), a form with one `textarea`,
 * and a line for the state (`[data-state]`). A `select` in the form says whom a message is for. Dispatches `change` with every news.
 */
export class Chat extends EventTarget {
  /** @type {Message[]} */
  messages = [];
  /** What it says; a page in another language puts its own here and calls {@link refresh}. */
  words = english;

  #metadata;
  #self;
  #log;
  #list;
  #form;
  #input;
  #state;
  #isSeen;
  /** Which conversation is shown: `everyone`, `team`, or both together. */
  #to;
  /** Numbers of the last messages that others say they got and read. */
  #delivered = 0;
  #read = 0;
  /** What we have said so of. */
  #markedDelivered = 0;
  #markedRead = 0;
  #timer;

  /**
   * @param {HTMLElement} root
   * @param {import("./metadata.js").MetadataChannel} metadata
   * @param {() => string} self who we are in the journal
   * @param {() => boolean} isSeen whether the conversation can be seen now
   * @param {"everyone" | "team"} [to] shows one of the two conversations alone and writes into it
   */
  constructor(root, metadata, self, isSeen, to) {
    super();
    this.#metadata = metadata;
    this.#self = self;
    this.#isSeen = isSeen;
    this.#to = to;
    this.#log = root.querySelector(".log");
    this.#list = root.querySelector("ol");
    this.#form = root.querySelector("form");
    this.#input = root.querySelector("textarea");
    this.#state = root.querySelector("[data-state]");
    this.#input.maxLength = maximumText;
    metadata.on("chat", (event) => this.#take(event));
    metadata.on("chat.delivered", (event) => this.#mark(event));
    metadata.on("chat.read", (event) => this.#mark(event));
    metadata.addEventListener("state", () => this.#renderState());
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.#submit(event);
    });
    document.addEventListener("visibilitychange", () => this.look());
    this.#renderState();
  }

  /** Messages of others that have not been seen. */
  get unread() {
    return this.messages.filter((message) => !message.isOwn && message.number > this.#markedRead);
  }

  /** The conversation may have come into sight. */
  look() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#sendMarks(), markPause);
  }

  /** Says all of it anew: the words have changed. */
  refresh() {
    this.#render();
    this.#renderState();
  }

  #isHere({ to = "everyone" }) {
    return this.#to === undefined || to === this.#to;
  }

  #take({ number, time, actor, payload }) {
    if (!this.#isHere(payload)) return;
    const isOwn = actor.id === this.#self();
    const waiting = isOwn && this.messages.find((message) => message.number === 0 && message.text === payload.text);
    if (waiting) Object.assign(waiting, { number, time });
    else if (this.messages.some((message) => message.number === number)) return;
    else this.#add({ number, text: payload.text, to: payload.to, time, name: actor.name, role: actor.role, isOwn, problem: "" });
    this.#render();
    this.look();
    this.dispatchEvent(new Event("change"));
  }

  #mark({ kind, actor, payload }) {
    if (!this.#isHere(payload)) return;
    if (actor.id === this.#self()) {
      // Said on this page before it was reloaded.
      if (kind === "chat.read") this.#markedRead = Math.max(this.#markedRead, payload.upTo);
      this.#markedDelivered = Math.max(this.#markedDelivered, payload.upTo);
      this.dispatchEvent(new Event("change"));
      return;
    }
    this.#delivered = Math.max(this.#delivered, payload.upTo);
    if (kind === "chat.read") this.#read = Math.max(this.#read, payload.upTo);
    this.#render();
  }

  async #submit(event) {
    event.preventDefault();
    const text = this.#input.value.trim();
    if (text === "") return;
    this.#input.value = "";
    const to = this.#form.querySelector("select")?.value;
    const message = { number: 0, text, to, time: new Date().toISOString(), name: "", role: "", isOwn: true, problem: "" };
    this.#add(message);
    this.#render();
    this.#renderState();
    try {
      message.number ||= await this.#metadata.send("chat", { text, ...(to ? { to } : this.#channel) });
    } catch (error) {
      message.problem = error.message;
    }
    this.#render();
    this.#renderState();
  }

  get #channel() {
    return this.#to === "team" ? { to: "team" } : {};
  }

  #add(message) {
    this.messages.push(message);
    if (this.messages.length > maximumMessages) this.messages.shift();
  }

  #sendMarks() {
    const newest = Math.max(0, ...this.messages.filter((message) => !message.isOwn).map((message) => message.number));
    if (newest === 0 || this.#metadata.state !== "connected") return;
    const isSeen = this.#isSeen() && document.visibilityState === "visible";
    if (isSeen && newest > this.#markedRead) {
      this.#markedRead = this.#markedDelivered = newest;
      this.#send("chat.read", newest);
    } else if (newest > this.#markedDelivered) {
      this.#markedDelivered = newest;
      this.#send("chat.delivered", newest);
    }
    this.dispatchEvent(new Event("change"));
  }

  #send(kind, upTo) {
    this.#metadata.send(kind, { upTo, ...this.#channel }).catch((error) => console.warn(`sightline: ${kind} was not taken:`, error.message));
  }

  #renderState() {
    this.#state.textContent = this.words.connection
      ? this.words.connection(this.#metadata)
      : this.#metadata.state === "waiting" ? "" : this.#metadata.words;
  }

  /** Rows stay in place, so that screen readers hear only news. */
  #render() {
    const isAtEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 60;
    while (this.#list.children.length > this.messages.length) this.#list.firstElementChild.remove();
    this.messages.forEach((message, index) => {
      const row = this.#list.children[index] ?? this.#list.appendChild(newRow());
      this.#fill(row, message);
    });
    if (isAtEnd) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #fill(row, message) {
    const { text, to, time, name, role, isOwn, problem } = message;
    const [who, what, when] = row.children;
    row.classList.toggle("own", isOwn);
    row.classList.toggle("problem", problem !== "");
    setText(who, isOwn ? this.words.you : this.words.who(name, role));
    setText(what, text);
    setText(when, [hour(time), to === "team" && !this.#to ? this.words.team : "", this.#markWords(message)].filter(Boolean).join(" · "));
  }

  #markWords({ isOwn, number, problem }) {
    if (problem) return this.words.refused(problem);
    if (!isOwn) return "";
    if (number === 0) return this.words.waiting;
    return number <= this.#read ? this.words.read : number <= this.#delivered ? this.words.delivered : this.words.sent;
  }
}

function newRow() {
  const row = document.createElement("li");
  row.append(...["strong", "p", "small"].map((name) => document.createElement(name)));
  // People may write in another language than the page's.
  row.children[1].dir = "auto";
  return row;
}

/** @param {string} time ISO 8601 */
export function hour(time) {
  return new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
