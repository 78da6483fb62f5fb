/**
 * A place for one picture and its sound, among those that a connection offers once and for all.
 * @module
 */

import { preferCodec } from "./access.js";
import { linesOnScreen } from "./fitting.js";
import { StatisticsReader } from "./statistics.js";

/** Milliseconds without a new frame after which a picture counts as standing still. */
const stillAfter = 2000;
/** The same where the service sends a picture every few seconds. */
const stillAfterStill = 15_000;

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
  /** What the service says that it shows here. @type {import("./quality.js").View | undefined} */
  view;

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
    this.view = undefined;
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
    const { shows } = this.view ?? {};
    if (isRecent(this.#lastFrame, shows === "stills" ? stillAfterStill : stillAfter)) return "live";
    // Where no picture is to come, none is missed.
    if (shows === "audioOnly" && isRecent(this.#lastSound)) return "soundOnly";
    if (this.#lastFrame !== undefined) return "still";
    return isRecent(this.#lastSound) ? "soundOnly" : "waiting";
  }

  /** The names of its m-lines, once they are negotiated. @returns {{video: string, audio: string}} */
  get mids() {
    const [video, audio] = this.#transceivers.map((transceiver) => transceiver.mid);
    return { video, audio };
  }

  /** How many lines its picture has where it is largest on the screen; undefined while it is not shown. */
  get linesOnScreen() {
    return linesOnScreen(this.stream);
  }

  /** Seconds since the last frame; undefined before the first. */
  get secondsWithoutFrame() {
    return this.#lastFrame === undefined ? undefined : (performance.now() - this.#lastFrame) / 1000;
  }
}

function newReader() {
  return new StatisticsReader("inbound-rtp");
}

function isRecent(moment, within = stillAfter) {
  return moment !== undefined && performance.now() - moment < within;
}
