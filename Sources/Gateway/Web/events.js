/**
 * What happens in the incident, as the service tells it over the WebSocket `sightline.v1`. A page works without it too.
 * @module
 */

/**
 * @typedef {{id: string, name: string, permissions: string[], state: string}} Peer
 * @typedef {{id: string, peer: string, kind: "audio" | "video", state: "waiting" | "live" | "stalled",
 *   codec?: string, bitrate: number}} Source
 */

const protocol = "sightline.v1";
const pingInterval = 20_000;
const firstBackoff = 500;
const maximumBackoff = 8000;

/** Keeps a picture of the incident; dispatches `change` with every news and `message` with a text for people. */
export class IncidentEvents extends EventTarget {
  /** @type {Map<string, Peer>} */
  peers = new Map();
  /** @type {Map<string, Source>} */
  sources = new Map();
  /** Whether the picture is up to date. */
  isConnected = false;
  /** What our own token says of us. */
  name = "";
  role = "";
  /** Whether the service says that it records. */
  isRecorded = false;

  #token;
  #socket;
  #failures = 0;
  #timers = new Set();
  #isClosed = false;

  /** @param {string} token */
  constructor(token) {
    super();
    this.#token = token;
  }

  open() {
    const address = new URL(`/ws?token=${encodeURIComponent(this.#token)}`, document.baseURI);
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
    this.#socket?.close();
  }

  /** Everybody connected who only receives. */
  get watchers() {
    return [...this.peers.values()].filter(
      (peer) => peer.permissions.includes("subscribe") && !peer.permissions.includes("publish") && isPresent(peer));
  }

  /** Everybody connected who sends. */
  get callers() {
    return [...this.peers.values()].filter((peer) => peer.permissions.includes("publish") && isPresent(peer));
  }

  /** @param {"audio" | "video"} kind */
  sourcesOf(kind) {
    return [...this.sources.values()].filter((source) => source.kind === kind);
  }

  #receive(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    const handler = this.#handlers[message.kind];
    if (message.v !== 1 || !handler) return;
    handler(message);
    this.dispatchEvent(new Event("change"));
  }

  #handlers = {
    welcome: ({ name, role, recorded }) => {
      this.name = name ?? "";
      this.role = role ?? "";
      this.isRecorded = recorded === true;
    },
    overview: ({ peers, sources }) => {
      this.isConnected = true;
      this.#failures = 0;
      this.peers = new Map((peers ?? []).map((peer) => [peer.id, peer]));
      this.sources = new Map((sources ?? []).map((source) => [source.id, source]));
    },
    peer: ({ peer }) => {
      if (isPresent(peer)) this.peers.set(peer.id, peer);
      else this.peers.delete(peer.id);
    },
    source: ({ source }) => this.sources.set(source.id, source),
    sourceRemoved: ({ source }) => this.sources.delete(source),
    message: (message) => this.dispatchEvent(new CustomEvent("message", { detail: message })),
  };

  #keepAlive(socket) {
    const timer = setInterval(() => socket.send(JSON.stringify({ v: 1, kind: "ping" })), pingInterval);
    this.#timers.add(timer);
  }

  #onClose() {
    this.#clearTimers();
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
