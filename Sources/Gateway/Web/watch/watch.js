/**
 * Receives callers' pictures and sound (WHEP) in a fixed number of slots and knows whether they move.
 *
 * The service puts the incident's first caller on the first slot, the second on the second, and so on; which caller that
 * is may change without our doing (DESIGN, decision 1).
 * @module
 */

import { configuration } from "../shared/access.js";
import { MediaConnection } from "../shared/connection.js";
import { Slot } from "../shared/slot.js";
import { SlotService } from "../shared/slotservice.js";
import { StatisticsReader } from "../shared/statistics.js";

/** Callers seen at once; a slot costs nothing while it is empty. */
const defaultSlots = 2;
const maximumSlots = 4;
/** Slots for the sound of those who have no picture. */
const voiceSlots = 3;

/**
 * @typedef {import("../shared/slot.js").SlotState | "idle" | "connecting" | "reconnecting" | "failed" | "closed"} WatchState
 *   our own line comes first
 */

/** Dispatches `change` at every change of state and twice a second. */
export class Watch extends EventTarget {
  /** @type {Slot[]} */
  slots;
  /** The slot that is shown large. */
  main = 0;
  /** All sound but the large picture's own. */
  voices = new MediaStream();
  /** What comes in on the slots for sound alone. @type {import("../shared/statistics.js").Figures[]} */
  voiceFigures = [];

  #voices = [];
  #connection;
  #service;
  #events;
  #timer;

  /**
   * @param {import("../shared/access.js").Access} access
   * @param {RTCIceServer[]} iceServers
   * @param {import("../shared/metadata.js").MetadataChannel} metadata what the connection carries besides
   * @param {import("../shared/events.js").IncidentEvents} events of the incident
   */
  constructor(access, iceServers, metadata, events) {
    super();
    this.#events = events;
    const wanted = Number(access.options.get("slots") ?? defaultSlots);
    const count = Math.min(maximumSlots, Math.max(1, Math.floor(wanted) || 1));
    this.slots = Array.from({ length: count }, () => new Slot());
    const endpoint = `/whep/${encodeURIComponent(access.incident)}`;
    this.#connection = new MediaConnection({
      endpoint,
      token: access.token,
      configuration: configuration(access, iceServers),
      prepare: (connection) => {
        this.slots.forEach((slot) => slot.prepare(connection, access.options.get("codec")));
        this.#voices = Array.from({ length: voiceSlots }, () => {
          const transceiver = connection.addTransceiver("audio", { direction: "recvonly" });
          return { transceiver, reader: new StatisticsReader("inbound-rtp") };
        });
        this.#mix();
        metadata.open(connection);
      },
    });
    this.#service = new SlotService(() => this.#connection.peer && `${endpoint}/${this.#connection.peer}`, access.token, this.slots);
    this.#connection.addEventListener("state", () => {
      if (this.#connection.state === "connected") this.#service.read();
      this.#changed();
    });
    events.addEventListener("view", ({ detail: view }) => {
      if (view.peer !== this.#connection.peer) return;
      this.#service.take(view);
      this.#changed();
    });
  }

  start() {
    this.#timer = setInterval(() => this.#measure(), 500);
    this.#connection.start();
  }

  stop() {
    clearInterval(this.#timer);
    this.#connection.stop();
  }

  /** Stops watching a session that the service has ended. */
  leave() {
    clearInterval(this.#timer);
    this.#connection.leave();
  }

  get connection() {
    return this.#connection;
  }

  /** The large picture's slot. */
  get slot() {
    return this.slots[this.main];
  }

  /** @returns {WatchState} */
  get state() {
    const { state } = this.#connection;
    return state === "connected" ? this.slot.state : state;
  }

  /** Puts another slot's picture in the large place. */
  show(index) {
    this.main = index;
    this.#mix();
    this.#changed();
  }

  #mix() {
    const small = this.slots.filter((slot) => slot !== this.slot).flatMap((slot) => slot.stream.getAudioTracks());
    this.voices = new MediaStream([...small, ...this.#voices.map(({ transceiver }) => transceiver.receiver.track)]);
  }

  async #measure() {
    const connection = this.#connection.peerConnection;
    if (!connection || connection.signalingState === "closed") return;
    const report = await connection.getStats();
    for (const slot of this.slots) slot.measure(report);
    if (this.#connection.state === "connected") this.#service.fit(this.#events.sources);
    this.voiceFigures = this.#voices.map(({ transceiver, reader }) => reader.read(report, [transceiver.mid]));
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
