/**
 * Receives callers' pictures and sound (WHEP) in a fixed number of slots and knows whether they move.
 *
 * The service puts the incident's first caller on the first slot, the second on the second, and so on; which caller that
 * is may change without our doing (DESIGN, decision 1).
 * @module
 */

import { configuration, preferCodec } from "../shared/access.js";
import { MediaConnection } from "../shared/connection.js";
import { StatisticsReader } from "../shared/statistics.js";

/** Callers seen at once; a slot costs nothing while it is empty. */
const defaultSlots = 2;
const maximumSlots = 4;
/** Milliseconds without a new frame after which a picture counts as standing still. */
const stillAfter = 2000;

/**
 * `waiting`: nothing has come yet. `live`: frames come in. `soundOnly`: sound comes in, there is no picture.
 * `still`: frames came, and stopped.
 * @typedef {"waiting" | "live" | "soundOnly" | "still"} SlotState
 * @typedef {SlotState | "idle" | "connecting" | "reconnecting" | "failed" | "closed"} WatchState our own line comes first
 */

/** A place for one caller's picture and sound. */
class Slot {
  /** One stream for both keeps lips and voice together. */
  stream = new MediaStream();
  /** @type {import("../shared/statistics.js").Figures} */
  figures = {};

  #reader = new StatisticsReader("inbound-rtp");
  #transceivers = [];
  #lastFrame;
  #lastSound;

  /** Offers an m-line for the picture and one for the sound. */
  prepare(connection, codec) {
    this.#transceivers = ["video", "audio"].map((kind) => connection.addTransceiver(kind, { direction: "recvonly" }));
    preferCodec(this.#transceivers[0], codec);
    this.stream = new MediaStream(this.#transceivers.map((transceiver) => transceiver.receiver.track));
    this.figures = {};
  }

  /** @param {RTCStatsReport} report */
  measure(report) {
    const before = this.figures;
    this.figures = this.#reader.read(report, this.#transceivers.map((transceiver) => transceiver.mid));
    const { video, audio } = this.figures;
    if ((video?.frames ?? 0) > (before.video?.frames ?? 0)) this.#lastFrame = performance.now();
    if ((audio?.packets ?? 0) > (before.audio?.packets ?? 0)) this.#lastSound = performance.now();
  }

  /** @returns {SlotState} */
  get state() {
    if (isRecent(this.#lastFrame)) return "live";
    if (this.#lastFrame !== undefined) return "still";
    return isRecent(this.#lastSound) ? "soundOnly" : "waiting";
  }

  /** Seconds since the last frame; undefined before the first. */
  get secondsWithoutFrame() {
    return this.#lastFrame === undefined ? undefined : (performance.now() - this.#lastFrame) / 1000;
  }
}

/** Dispatches `change` at every change of state and twice a second. */
export class Watch extends EventTarget {
  /** @type {Slot[]} */
  slots;
  /** The slot that is shown large. */
  main = 0;

  #connection;
  #timer;

  /**
   * @param {import("../shared/access.js").Access} access
   * @param {RTCIceServer[]} iceServers
   * @param {import("../shared/metadata.js").MetadataChannel} metadata what the connection carries besides
   */
  constructor(access, iceServers, metadata) {
    super();
    const wanted = Number(access.options.get("slots") ?? defaultSlots);
    const count = Math.min(maximumSlots, Math.max(1, Math.floor(wanted) || 1));
    this.slots = Array.from({ length: count }, () => new Slot());
    this.#connection = new MediaConnection({
      endpoint: `/whep/${encodeURIComponent(access.incident)}`,
      token: access.token,
      configuration: configuration(access, iceServers),
      prepare: (connection) => {
        this.slots.forEach((slot) => slot.prepare(connection, access.options.get("codec")));
        metadata.open(connection);
      },
    });
    this.#connection.addEventListener("state", () => this.#changed());
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
    this.#changed();
  }

  async #measure() {
    const connection = this.#connection.peerConnection;
    if (!connection || connection.signalingState === "closed") return;
    const report = await connection.getStats();
    for (const slot of this.slots) slot.measure(report);
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function isRecent(moment) {
  return moment !== undefined && performance.now() - moment < stillAfter;
}
