/**
 * A place for one picture and its sound, among those that a connection offers once and for all.
 * @module
 */

import { preferCodec } from "./access.js";
import { StatisticsReader } from "./statistics.js";

/** Milliseconds without a new frame after which a picture counts as standing still. */
const stillAfter = 2000;

/**
 * `waiting`: nothing has come yet. `live`: frames come in. `soundOnly`: sound comes in, there is no picture.
 * `still`: frames came, and stopped.
 * @typedef {"waiting" | "live" | "soundOnly" | "still"} SlotState
 */

/** One place. */
export class Slot {
  /** One stream for both keeps lips and voice together. */
  stream = new MediaStream();
  /** @type {import("./statistics.js").Figures} */
  figures = {};

  #reader = newReader();
  #transceivers = [];
  #lastFrame;
  #lastSound;

  /** Offers an m-line for the picture and one for the sound. */
  prepare(connection, codec) {
    this.#transceivers = ["video", "audio"].map((kind) => connection.addTransceiver(kind, { direction: "recvonly" }));
    preferCodec(this.#transceivers[0], codec);
    this.stream = new MediaStream(this.#transceivers.map((transceiver) => transceiver.receiver.track));
    this.#reader = newReader();
    this.figures = {};
  }

  /** Somebody else is on it now: what came of the former says nothing of them. */
  renew() {
    this.#lastFrame = this.#lastSound = undefined;
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

  /** The names of its m-lines, once they are negotiated. @returns {{video: string, audio: string}} */
  get mids() {
    const [video, audio] = this.#transceivers.map((transceiver) => transceiver.mid);
    return { video, audio };
  }

  /** Seconds since the last frame; undefined before the first. */
  get secondsWithoutFrame() {
    return this.#lastFrame === undefined ? undefined : (performance.now() - this.#lastFrame) / 1000;
  }
}

function newReader() {
  return new StatisticsReader("inbound-rtp");
}

function isRecent(moment) {
  return moment !== undefined && performance.now() - moment < stillAfter;
}
