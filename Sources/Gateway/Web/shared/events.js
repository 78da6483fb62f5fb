/**
 * What happens in the incident, as the service tells it over the WebSocket `sightline.v1`; the WebSocket also carries the
 * metadata channel. A page works without it too.
 * @module
 */

import { pageKey } from "./access.js";
import { parse, protocol } from "./metadata.js";

/**
 * @typedef {{id: string, name: string, actor: string, part: "caller" | "field" | "control" | "onlooker",
 *   permissions: string[], state: string, reason?: string}} Peer
 * @typedef {{id: string, peer: string, kind: "audio" | "video", state: "waiting" | "live" | "stalled",
 *   codec?: string, bitrate: number, layers?: Layer[]}} Source
 * One of the sizes and frame rates that a source sends, poorest first.
 * @typedef {{rid?: string, spatial: number, temporal: number, bitrate: number, width?: number, height?: number}} Layer
 */

const carrier = "websocket";
const pingInterval = 20_000;
const firstBackoff = 500;
const maximumBackoff = 8000;
/** What closes the door for good: trying again brings the same answer. */
const finalCodes = new Set(["linkUsed", "linkEnded", "linkRevoked", "linkExpired", "expiredToken", "invalidToken", "forbidden"]);

/**
 * Keeps a picture of the incident. Dispatches `change` with every news, `message` with a text for people, `refused` with
 * `{code, text}` when the service lets us in no more, `peerClosed` with a peer that is gone, and `view` with how much of a
 * picture some slot shows from now on.
 */
export class IncidentEvents extends EventTarget {
  /** @type {Map<string, Peer>} */
  peers = new Map();
  /** @type {Map<string, Source>} */
  sources = new Map();
  /** Whether the picture is up to date. */
  isConnected = false;
  /** What the service says of us: our name, our role, and who we are in the journal. */
  name = "";
  role = "";
  actor = "";
  /** Whether the service says that it records. */
  isRecorded = false;
  /** Why we are not let in, if so. @type {{code: string, text: string} | undefined} */
  refusal;

  #token;
  #metadata;
  #socket;
  #failures = 0;
  #timers = new Set();
  #isClosed = false;

  /**
   * @param {string} token
   * @param {import("./metadata.js").MetadataChannel} [metadata] what the WebSocket carries besides
   */
  constructor(token, metadata) {
    super();
    this.#token = token;
    this.#metadata = metadata;
  }

  open() {
    // Without a token the browser's session counts.
    const query = this.#token ? `?${new URLSearchParams({ token: this.#token, key: pageKey(this.#token) })}` : "";
    const address = new URL(`/ws${query}`, document.baseURI);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, protocol);
    this.#socket = socket;
    socket.addEventListener("open", () => this.#keepAlive(socket));
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    socket.addEventListener("close", () => this.#onClose());
  }

  close() {
    this.#isClosed = true;
    this.#clearTimers();
    this.#metadata?.detach(carrier);
    this.#socket?.close();
  }

  /** Everybody connected who looks on: the control room, units, guests. */
  get watchers() {
    return [...this.peers.values()].filter((peer) => peer.part !== "caller" && isPresent(peer));
  }

  /** Everybody connected at the scene. */
  get callers() {
    return [...this.peers.values()].filter((peer) => peer.part === "caller" && isPresent(peer));
  }

  /** @param {"audio" | "video"} kind */
  sourcesOf(kind) {
    return [...this.sources.values()].filter((source) => source.kind === kind);
  }

  #receive(data) {
    const message = parse(data);
    if (message?.v !== 1) return;
    this.#metadata?.receive(carrier, message);
    // The control room hears of everybody's pictures; what of it is our own changes nothing else.
    if (message.kind === "view") return this.dispatchEvent(new CustomEvent("view", { detail: message }));
    const handler = this.#handlers[message.kind];
    if (!handler) return;
    handler(message);
    this.dispatchEvent(new Event("change"));
  }

  #handlers = {
    welcome: ({ name, role, actor, recorded }) => {
      this.name = name ?? "";
      this.role = role ?? "";
      this.actor = actor ?? "";
      this.isRecorded = recorded === true;
      this.#failures = 0;
      const socket = this.#socket;
      this.#metadata?.attach(carrier, (text) => socket.send(text), () => socket.bufferedAmount);
    },
    overview: ({ peers, sources }) => {
      this.isConnected = true;
      this.peers = new Map((peers ?? []).map((peer) => [peer.id, peer]));
      this.sources = new Map((sources ?? []).map((source) => [source.id, source]));
    },
    peer: ({ peer }) => {
      if (isPresent(peer)) {
        this.peers.set(peer.id, peer);
      } else {
        this.peers.delete(peer.id);
        this.dispatchEvent(new CustomEvent("peerClosed", { detail: peer }));
      }
    },
    source: ({ source }) => this.sources.set(source.id, source),
    sourceRemoved: ({ source }) => this.sources.delete(source),
    message: (message) => this.dispatchEvent(new CustomEvent("message", { detail: message })),
    error: ({ code, text, inReplyTo }) => {
      if (inReplyTo !== undefined || !finalCodes.has(code)) return;
      this.refusal = { code, text };
      this.close();
      this.dispatchEvent(new CustomEvent("refused", { detail: this.refusal }));
    },
  };

  #keepAlive(socket) {
    const timer = setInterval(() => socket.send(JSON.stringify({ v: 1, kind: "ping" })), pingInterval);
    this.#timers.add(timer);
  }

  #onClose() {
    this.#clearTimers();
    this.#metadata?.detach(carrier);
    this.isConnected = false;
    if (this.#isClosed) return;
    this.dispatchEvent(new Event("change"));
    const pause = Math.min(maximumBackoff, firstBackoff * 2 ** this.#failures++);
    this.#timers.add(setTimeout(() => this.open(), pause));
  }

  #clearTimers() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}

function isPresent(peer) {
  return peer.state !== "closed";
}
