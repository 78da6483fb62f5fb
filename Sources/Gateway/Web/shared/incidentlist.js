/**
 * The open incidents that one may know of, kept up to date over a WebSocket of their own.
 * @module
 */

import { pageKey } from "./access.js";
import { parse, protocol } from "./metadata.js";

const pingInterval = 20_000;
const firstBackoff = 500;
const maximumBackoff = 8000;
const order = ["P1", "P2", "P3", "P4"];

/**
 * @typedef {object} Summary
 * @property {string} id
 * @property {string} state `new`, `queued`, `active`, `monitored`, `reopened`, `ended`, `merged` or `cancelled`
 * @property {"P1" | "P2" | "P3" | "P4"} priority
 * @property {string} [type]
 * @property {{lat?: number, lon?: number, text?: string}} [place]
 * @property {boolean} exercise
 * @property {string} openedAt
 * @property {number} callers
 * @property {string} [stage] of the caller that the row shows
 * @property {string} [phone]
 * @property {number} units
 */

/** Dispatches `change` with every news. */
export class IncidentList extends EventTarget {
  /** @type {Map<string, Summary>} */
  incidents = new Map();
  /** Whether the list is up to date. */
  isConnected = false;

  #session;
  #scope;
  #socket;
  #failures = 0;
  #timers = new Set();

  /** @param {import("./session.js").Session} session @param {"agency" | {unit: string}} [scope] */
  constructor(session, scope = "agency") {
    super();
    this.#session = session;
    this.#scope = scope;
  }

  /** Most urgent first, among equals whoever has waited longest. @returns {Summary[]} */
  get sorted() {
    const rank = ({ priority }) => order.indexOf(priority);
    return [...this.incidents.values()].sort(
      (a, b) => rank(a) - rank(b) || Date.parse(a.openedAt) - Date.parse(b.openedAt) || a.id.localeCompare(b.id));
  }

  open() {
    const { token } = this.#session;
    const query = token ? `?${new URLSearchParams({ token, key: pageKey(token) })}` : "";
    const address = new URL(`/ws${query}`, document.baseURI);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, protocol);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      socket.send(JSON.stringify({ v: 1, kind: "list", id: "list", scope: this.#scope }));
      this.#timers.add(setInterval(() => socket.send(JSON.stringify({ v: 1, kind: "ping" })), pingInterval));
    });
    socket.addEventListener("message", ({ data }) => this.#receive(parse(data)));
    socket.addEventListener("close", ({ code }) => this.#onClose(code));
  }

  #receive(message) {
    switch (message?.kind) {
      case "listing":
        this.#failures = 0;
        this.incidents.clear();
        this.isConnected = true;
        break;
      case "listed":
        if (message.summary) this.incidents.set(message.incident, message.summary);
        else this.incidents.delete(message.incident);
        break;
      default: return;
    }
    this.dispatchEvent(new Event("change"));
  }

  #onClose(code) {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.isConnected = false;
    this.dispatchEvent(new Event("change"));
    // 4423: the session is locked; 4401: it has ended.
    if (code === 4423 || code === 4401) this.#session.dispatchEvent(new Event("locked"));
    const pause = Math.min(maximumBackoff, firstBackoff * 2 ** this.#failures++);
    this.#timers.add(setTimeout(() => this.open(), pause));
  }
}
