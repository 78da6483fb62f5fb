/**
 * Receives one caller's picture and sound in a slot each (WHEP) and knows whether they move.
 * @module
 */

import { configuration, preferCodec } from "./access.js";
import { MediaConnection } from "./connection.js";
import { StatisticsReader } from "./statistics.js";

/** Milliseconds without a new frame after which the picture counts as standing still. */
const stillAfter = 2000;

/**
 * `connecting` and `reconnecting`: our own line. `waiting`: connected, nothing has come yet. `live`: frames come in.
 * `soundOnly`: sound comes in, there is no picture. `still`: frames came, and stopped.
 * @typedef {"idle" | "connecting" | "reconnecting" | "waiting" | "live" | "soundOnly" | "still" | "failed" | "closed"} WatchState
 */

/** Dispatches `change` at every change of state and once a second. */
export class Watch extends EventTarget {
  /** @type {import("./statistics.js").Figures} */
  figures = {};
  stream = new MediaStream();

  #connection;
  #access;
  #reader = new StatisticsReader("inbound-rtp");
  #frames = 0;
  #lastFrame;
  #packetsOfSound = 0;
  #lastSound;
  #timer;

  /**
   * @param {import("./access.js").Access} access
   * @param {RTCIceServer[]} iceServers
   */
  constructor(access, iceServers) {
    super();
    this.#access = access;
    this.#connection = new MediaConnection({
      endpoint: `/whep/${encodeURIComponent(access.incident)}`,
      token: access.token,
      configuration: configuration(access, iceServers),
      prepare: (connection) => this.#prepare(connection),
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

  get connection() {
    return this.#connection;
  }

  /** @returns {WatchState} */
  get state() {
    const { state } = this.#connection;
    if (state !== "connected") return state;
    if (isRecent(this.#lastFrame)) return "live";
    if (this.#lastFrame !== undefined) return "still";
    return isRecent(this.#lastSound) ? "soundOnly" : "waiting";
  }

  /** Seconds since the last frame; undefined before the first. */
  get secondsWithoutFrame() {
    return this.#lastFrame === undefined ? undefined : (performance.now() - this.#lastFrame) / 1000;
  }

  #prepare(connection) {
    const video = connection.addTransceiver("video", { direction: "recvonly" });
    preferCodec(video, this.#access.options.get("codec"));
    connection.addTransceiver("audio", { direction: "recvonly" });
    // One stream for both keeps lips and voice together.
    const stream = new MediaStream();
    connection.addEventListener("track", ({ track }) => {
      stream.addTrack(track);
      this.stream = stream;
      this.#changed();
    });
    this.#frames = 0;
    this.#packetsOfSound = 0;
  }

  async #measure() {
    const connection = this.#connection.peerConnection;
    if (!connection || connection.signalingState === "closed") return;
    this.figures = await this.#reader.read(connection);
    const frames = this.figures.video?.frames ?? 0;
    if (frames > this.#frames) this.#lastFrame = performance.now();
    this.#frames = frames;
    const packets = this.figures.audio?.packets ?? 0;
    if (packets > this.#packetsOfSound) this.#lastSound = performance.now();
    this.#packetsOfSound = packets;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function isRecent(moment) {
  return moment !== undefined && performance.now() - moment < stillAfter;
}
