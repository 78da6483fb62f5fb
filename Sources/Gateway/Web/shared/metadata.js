/**
 * The metadata channel: what happens in an incident, both ways, as one logical connection over two carriers, the WebSocket
 * and the data channel `sightline.metadata`. Either may come and go; nothing is lost or doubled by it.
 * @module
 */

import { randomText } from "./access.js";

export const label = "sightline.metadata";
export const protocol = "sightline.v1";

/** Messages without an `accepted` that are kept; more are refused, since the person has to know. */
const maximumPending = 200;
/** Messages that wait for their `accepted` at a time. */
const maximumInFlight = 32;
/** Bytes that may wait in a carrier before it counts as stuck. */
const maximumBuffered = 256 * 1024;
/** Characters of one message; the service takes 64 KiB. */
const maximumLength = 16_000;
/** Milliseconds without `accepted` until a message is sent again, over every carrier that is up. */
const firstRetry = 2000;
const maximumRetry = 8000;
/** Ephemeral messages whose second copy is recognised. */
const maximumSeen = 128;
/** Refusals after which the same message may be taken later. */
const passing = new Set(["tooFast", "unavailable", "full", "slowReader"]);

/** The service does not take a message. */
export class MetadataRefusal extends Error {
  /**
   * @param {string} code
   * @param {string} text
   */
  constructor(code, text) {
    super(text);
    this.name = "MetadataRefusal";
    this.code = code;
  }
}

/**
 * @typedef {object} IncidentEvent
 * @property {string} incident
 * @property {number} [number] of a durable event
 * @property {string} time
 * @property {{id: string, role: string, name: string}} actor
 * @property {string} kind
 * @property {Record<string, any>} payload
 *
 * @typedef {"waiting" | "connected" | "reconnecting" | "lost"} MetadataState `lost`: the right to be here is gone
 */

/** Dispatches `state` at every change of state and `subscribed` with a snapshot as `detail`. */
export class MetadataChannel extends EventTarget {
  /** Number of the last event seen. */
  last = 0;
  /** Number of the incident's last event when this page came. */
  start;
  /** @type {Record<string, any> | undefined} */
  snapshot;
  /** @type {MetadataState} */
  state = "waiting";
  /** Why the state is `lost`. */
  reason = "";

  #incident;
  /** @type {Map<string, Carrier>} */
  #carriers = new Map();
  /** @type {Map<string, Pending>} */
  #pending = new Map();
  #handlers = new Map();
  #seen = new Set();
  #prefix = randomText(6);
  #count = 0;
  #timer;

  /** @param {string} incident */
  constructor(incident) {
    super();
    this.#incident = incident;
  }

  /** Messages that are not known to have arrived. */
  get waiting() {
    return this.#pending.size;
  }

  /** Names of the carriers that are up. */
  get carriers() {
    return [...this.#carriers.values()].filter((carrier) => carrier.isProven).map((carrier) => carrier.name);
  }

  /** Where the connection stands, in words; empty while all is well. */
  get words() {
    switch (this.state) {
      case "waiting": return "Connecting";
      case "connected": return "";
      case "reconnecting":
        return this.waiting > 0 ? "No connection. What you wrote is kept and sent later." : "No connection right now.";
      case "lost": return this.reason;
    }
  }

  // MARK: Saying and hearing

  /**
   * Has something happen; it is sent until the service has taken it.
   * @param {string} kind
   * @param {Record<string, any>} payload
   * @returns {Promise<number>} the event's number
   * @throws {MetadataRefusal}
   */
  send(kind, payload) {
    return new Promise((resolve, reject) => {
      const id = this.#identifier();
      const text = this.#envelope(id, kind, payload);
      if (this.state === "lost") return reject(new MetadataRefusal("forbidden", this.reason));
      if (text.length > maximumLength) return reject(new MetadataRefusal("tooLarge", "This is too long to send."));
      if (this.#pending.size >= maximumPending) {
        return reject(new MetadataRefusal("full", "Too much waits for the network. Try again when it is back."));
      }
      this.#pending.set(id, { text, resolve, reject, sentAt: undefined, wait: firstRetry, sentBy: new Set() });
      this.#pump();
    });
  }

  /**
   * Says something that is worth nothing later: it goes out now or never.
   * @param {string} kind
   * @param {Record<string, any>} payload
   * @returns {boolean} whether it went out
   */
  sendEphemeral(kind, payload) {
    const text = this.#envelope(this.#identifier(), kind, payload);
    return this.#proven.some((carrier) => carrier.send(text));
  }

  /**
   * @param {string} kind of durable or ephemeral events
   * @param {(event: IncidentEvent) => void} handler
   * @returns {() => void} ends it
   */
  on(kind, handler) {
    const handlers = this.#handlers.get(kind) ?? new Set();
    this.#handlers.set(kind, handlers.add(handler));
    return () => handlers.delete(handler);
  }

  // MARK: Carriers

  /**
   * A carrier has come up.
   * @param {string} name
   * @param {(text: string) => void} write
   * @param {() => number} [buffered] bytes that wait in it
   */
  attach(name, write, buffered = () => 0) {
    const carrier = new Carrier(name, write, buffered);
    this.#carriers.set(name, carrier);
    carrier.subscription = this.#identifier();
    const after = this.last > 0 ? { after: this.last } : {};
    const message = { v: 1, id: carrier.subscription, kind: "subscribe", incident: this.#incident, ...after };
    carrier.send(JSON.stringify(message));
  }

  /** A carrier has gone. */
  detach(name) {
    if (!this.#carriers.delete(name)) return;
    if (this.#proven.length === 0 && this.state === "connected") this.#enter("reconnecting");
    this.#pump();
  }

  /**
   * Uses a data channel as a carrier for as long as it is open.
   * @param {RTCPeerConnection} connection before its offer is made
   */
  open(connection) {
    const channel = connection.createDataChannel(label, { ordered: true, protocol });
    const name = `channel ${randomText(3)}`;
    channel.addEventListener("open", () =>
      this.attach(name, (text) => channel.send(text), () => channel.bufferedAmount));
    channel.addEventListener("message", ({ data }) => this.receive(name, parse(data)));
    channel.addEventListener("close", () => this.detach(name));
    // A connection that its page closes says nothing on its channels.
    connection.addEventListener("signalingstatechange", () => {
      if (connection.signalingState === "closed") this.detach(name);
    });
  }

  /**
   * Takes a message that a carrier brought; those that are not ours are left alone.
   * @param {string} name the carrier
   * @param {Record<string, any> | undefined} message
   */
  receive(name, message) {
    const carrier = this.#carriers.get(name);
    if (!carrier || message?.v !== 1) return;
    switch (message.kind) {
      case "subscribed": return this.#onSubscribed(carrier, message);
      case "event": return this.#onEvent(message.event);
      case "ephemeral": return this.#onEphemeral(message.event);
      case "accepted": return this.#settle(message.inReplyTo, ({ resolve }) => resolve(message.number));
      case "unsubscribed": return message.code ? this.lose(message.text) : undefined;
      case "error": return this.#onError(carrier, message);
      default: return undefined;
    }
  }

  /** The right to be here is gone: says so, and gives up what waits. */
  lose(reason) {
    if (this.state === "lost") return;
    this.reason = reason;
    this.#enter("lost");
    clearTimeout(this.#timer);
    for (const { reject } of this.#pending.values()) reject(new MetadataRefusal("forbidden", reason));
    this.#pending.clear();
  }

  get #proven() {
    return [...this.#carriers.values()].filter((carrier) => carrier.isProven);
  }

  #onSubscribed(carrier, { incident, snapshot }) {
    if (incident !== this.#incident) return;
    carrier.isProven = true;
    this.snapshot = snapshot;
    this.start ??= snapshot?.number ?? 0;
    this.#enter("connected");
    this.dispatchEvent(new CustomEvent("subscribed", { detail: snapshot }));
    this.#pump();
  }

  #onEvent(event) {
    // The other carrier may have brought it already.
    if (event?.incident !== this.#incident || !(event.number > this.last)) return;
    this.last = event.number;
    this.#tell(event);
  }

  #onEphemeral(event) {
    if (event?.incident !== this.#incident) return;
    const key = `${event.time} ${event.serial}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (this.#seen.size > maximumSeen) this.#seen.delete(this.#seen.values().next().value);
    this.#tell(event);
  }

  #tell(event) {
    for (const handler of this.#handlers.get(event.kind) ?? []) {
      try {
        handler(event);
      } catch (error) {
        console.error(`sightline: ${event.kind} was not handled`, error);
      }
    }
  }

  #onError(carrier, { code, text, retryAfter, inReplyTo }) {
    if (inReplyTo === carrier.subscription) {
      if (code === "forbidden" || code === "notFound") this.lose(text);
      return;
    }
    const pending = this.#pending.get(inReplyTo);
    if (!pending) return;
    if (passing.has(code)) {
      pending.wait = Math.max(pending.wait, 1000 * (retryAfter ?? 1));
      return;
    }
    this.#settle(inReplyTo, ({ reject }) => reject(new MetadataRefusal(code, text)));
  }

  #settle(id, action) {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    action(pending);
    this.#pump();
  }

  /** Sends what has not been sent, and again what has no answer; the order is kept. */
  #pump() {
    clearTimeout(this.#timer);
    const carriers = this.#proven;
    const now = performance.now();
    let next = Infinity;
    for (const pending of [...this.#pending.values()].slice(0, maximumInFlight)) {
      const isLost = pending.sentAt !== undefined && !carriers.some((carrier) => pending.sentBy.has(carrier));
      const isDue = pending.sentAt === undefined || isLost || now - pending.sentAt >= pending.wait;
      if (isDue && carriers.length > 0) transmit(pending, carriers, now);
      if (pending.sentAt !== undefined) next = Math.min(next, pending.sentAt + pending.wait - now);
    }
    if (next < Infinity && carriers.length > 0) this.#timer = setTimeout(() => this.#pump(), Math.max(100, next));
  }

  #identifier() {
    return `${this.#prefix}-${(this.#count += 1)}`;
  }

  #envelope(id, kind, payload) {
    return JSON.stringify({ v: 1, id, kind, incident: this.#incident, payload });
  }

  #enter(state) {
    if (state === this.state || this.state === "lost") return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}

/**
 * @typedef {object} Pending
 * @property {string} text
 * @property {(number: number) => void} resolve
 * @property {(error: MetadataRefusal) => void} reject
 * @property {number | undefined} sentAt
 * @property {number} wait milliseconds until it is sent again
 * @property {Set<Carrier>} sentBy
 */

/** First over one carrier; without an answer in time over all of them. */
function transmit(pending, carriers, now) {
  const isRepeat = pending.sentAt !== undefined;
  for (const carrier of carriers) {
    if (!carrier.send(pending.text)) continue;
    pending.sentBy.add(carrier);
    pending.sentAt = now;
    if (!isRepeat) return;
  }
  if (isRepeat) pending.wait = Math.min(maximumRetry, pending.wait * 2);
}

class Carrier {
  /** It has answered: what is sent over it is heard. */
  isProven = false;
  subscription = "";

  constructor(name, write, buffered) {
    this.name = name;
    this.write = write;
    this.buffered = buffered;
  }

  send(text) {
    if (this.buffered() > maximumBuffered) return false;
    try {
      this.write(text);
      return true;
    } catch {
      // Closed a moment ago: its end is told by itself.
      return false;
    }
  }
}

/** @returns {Record<string, any> | undefined} */
export function parse(data) {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
