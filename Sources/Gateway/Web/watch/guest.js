/**
 * Who looks on, until when, and what they were given to read: a guest has one link and nothing else.
 * @module
 */

import { build, element, keepRows, setState, setText } from "../shared/dom.js";
import { timeOfDay } from "../shared/times.js";
import { roleName } from "../shared/words.js";

/** Minutes before its end in which a link counts the time down. */
const lastMinutes = 10;
/** Milliseconds after which somebody who said that they talk, and nothing more, is silent. */
const longestTalk = 60_000;

/**
 * What a link's token says of itself; it is signed for the service, here it is only read.
 * @param {string} token
 * @returns {{name?: string, kind?: string, exp?: number}} `exp` in seconds from the epoch
 */
export function readToken(token) {
  try {
    const [, body] = token.split(".");
    const bytes = Uint8Array.from(atob(body.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // Tokens of accounts say nothing.
    return {};
  }
}

/** The parts of the page that concern the one who looks. Dispatches `expired` when the link's time is over. */
export class Guest extends EventTarget {
  /** What they were given to read, newest first. */
  notes = [];

  #facts;
  #events;
  #speakers = new Map();
  #isOver = false;

  /**
   * @param {string} token
   * @param {import("../shared/events.js").IncidentEvents} events
   * @param {import("../shared/metadata.js").MetadataChannel} metadata
   */
  constructor(token, events, metadata) {
    super();
    this.#facts = readToken(token);
    this.#events = events;
    metadata.on("note", ({ number, time, actor, payload }) => this.#take({ number, time, name: actor.name, text: payload.text }));
    metadata.on("speaking", (event) => this.#onSpeaking(event));
    events.addEventListener("change", () => this.#renderSelf());
    setInterval(() => this.#renderEnd(), 1000);
    this.#renderSelf();
    this.#renderEnd();
  }

  get name() {
    return this.#events.name || this.#facts.name || "";
  }

  /** Whether a link of the incident let them in: hospitals, experts. */
  get isGuest() {
    return this.#facts.kind === "guest";
  }

  /** Names of those who talk now. */
  get speakers() {
    return [...this.#speakers.values()].map(({ name }) => name);
  }

  /** Nothing more to come. */
  close() {
    this.#isOver = true;
    setText(element("link-end"), "");
    this.#speakers.clear();
    this.#renderSpeakers();
  }

  #take(note) {
    if (this.notes.some(({ number }) => number === note.number)) return;
    this.notes.unshift(note);
    element("notes-section").hidden = false;
    const make = ({ time, name, text }) =>
      build("li", {}, build("p", {}, text), build("small", { class: "figures" }, `${name}, ${timeOfDay(time)}`));
    keepRows(element("notes"), this.notes, ({ number }) => number, make);
  }

  #onSpeaking({ actor, payload }) {
    clearTimeout(this.#speakers.get(actor.id)?.timer);
    this.#speakers.delete(actor.id);
    if (payload.on) {
      const timer = setTimeout(() => [this.#speakers.delete(actor.id), this.#renderSpeakers()], longestTalk);
      this.#speakers.set(actor.id, { name: actor.name, timer });
    }
    this.#renderSpeakers();
  }

  #renderSpeakers() {
    const { speakers } = this;
    setText(element("speaking"), speakers.length > 0 ? `${speakers.join(" and ")} ${speakers.length > 1 ? "talk" : "talks"}` : "");
  }

  #renderSelf() {
    const role = roleName(this.#events.role);
    const { name } = this;
    setText(element("self"), [name, name.toLowerCase().includes(role) ? "" : role].filter(Boolean).join(", "));
  }

  /** When the link ends, as a time of day; towards the end, in how many minutes. */
  #renderEnd() {
    const { exp } = this.#facts;
    if (exp === undefined || this.#isOver) return;
    const minutes = (exp * 1000 - Date.now()) / 60_000;
    if (minutes <= 0) {
      this.close();
      this.dispatchEvent(new Event("expired"));
      return;
    }
    const isNear = minutes <= lastMinutes;
    setState(element("link-end"), "data-near", isNear);
    const at = timeOfDay(new Date(exp * 1000).toISOString()).slice(0, 5);
    setText(element("link-end"), isNear ? `Link ends in ${Math.ceil(minutes)} min` : minutes > 24 * 60 ? "" : `Link ends at ${at}`);
  }
}
