/**
 * The health of the large picture's stream: one line of figures, and a minute of bitrate, delay and loss as a small plot.
 * @module
 */

import { build, setState, setText } from "../../shared/dom.js";
import { rate } from "../../shared/times.js";

/** Seconds that the plot holds; one sample a second. */
const span = 60;
const sampleInterval = 1000;
/** From where on a figure counts as bad: the loss a picture shows, the delay a talk suffers, the rate of a slide show. */
const bad = { loss: 0.05, delay: 800, rate: 40_000, frames: 5 };
const [width, height] = [240, 36];
const namespace = "http://www.w3.org/2000/svg";

/** @typedef {{rate: number, delay: number, loss: number, frames: number} | undefined} Sample one second; undefined without a picture */

export class Health {
  element;
  /** Oldest first. @type {Sample[]} */
  samples = [];

  #line = build("p", { class: "health-line figures" });
  #svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", class: "plot" });
  #title = shape("title", {});
  #paths = { rate: shape("path", { class: "plot-rate" }), delay: shape("path", { class: "plot-delay" }), loss: shape("path", { class: "plot-loss" }) };
  #timer;
  #loss = [];
  #buffer = 0;
  #frames = 0;
  #isShown = false;

  constructor() {
    this.#svg.append(this.#title, ...Object.values(this.#paths));
    const key = (name, words) => build("span", {}, build("i", { class: `key-${name}`, "aria-hidden": "true" }), words);
    this.element = build(
      "div", { class: "health", role: "group", "aria-label": "Stream health" }, this.#line,
      build("figure", {}, this.#svg, build("figcaption", {}, key("rate", "bitrate"), key("delay", "delay"), key("loss", "loss"), build("span", {}, "60 s"))));
  }

  /** @param {() => import("../../shared/slot.js").Slot | undefined} slot the large picture's */
  open(slot) {
    this.close();
    this.#timer = setInterval(() => this.#sample(slot()), sampleInterval);
    this.render(undefined);
  }

  close() {
    clearInterval(this.#timer);
    this.samples = [];
    this.#loss = [];
    this.#buffer = this.#frames = 0;
    this.#isShown = false;
  }

  /** The delay of the newest sample, milliseconds. */
  get delay() {
    return this.samples.at(-1)?.delay;
  }

  /** Losses between two samples must not fall through: every reading counts. @param {import("../../shared/statistics.js").Figures} figures */
  note({ video }) {
    if (video) this.#loss.push(video.lossRatio);
  }

  #sample(slot) {
    const { video, roundTripMilliseconds: trip = 0 } = slot?.figures ?? {};
    this.#isShown = slot?.state === "live";
    const isLive = this.#isShown && video;
    // Between two readings without a frame nothing is known of the buffer: what was last known stands.
    if (video?.bufferMilliseconds) this.#buffer = video.bufferMilliseconds;
    const loss = this.#loss.length > 0 ? this.#loss.reduce((sum, each) => sum + each) / this.#loss.length : 0;
    this.#loss = [];
    const frames = Math.max(0, (video?.frames ?? 0) - this.#frames);
    this.#frames = video?.frames ?? 0;
    this.samples.push(isLive ? { rate: video.bitsPerSecond, delay: trip + this.#buffer, loss, frames } : undefined);
    if (this.samples.length > span) this.samples.shift();
    this.render(slot?.figures.video);
  }

  /** What is bad now, in words. @returns {string[]} */
  get troubles() {
    const now = this.samples.at(-1);
    if (!now) return [];
    return [
      now.rate < bad.rate && "thin line", now.frames < bad.frames && "few frames", now.delay > bad.delay && "late", now.loss > bad.loss && "losses",
    ].filter(Boolean);
  }

  /** @param {import("../../shared/statistics.js").MediaFigures} [video] */
  render(video) {
    const now = this.samples.at(-1);
    const lines = video?.width && Math.min(video.width, video.height);
    // Before the first second is over nothing is known.
    const isMeasured = this.samples.length > 0 && !this.#isShown;
    setText(this.#line, now ? [
      lines && `${lines}p`, rate(now.rate), `${now.delay} ms`, `loss ${percent(now.loss)}`,
      ...this.troubles,
    ].filter(Boolean).join("  ") : isMeasured ? "No picture is coming in" : "The picture is being measured");
    setState(this.element, "data-bad", this.troubles.length > 0);
    this.#plot();
  }

  #plot() {
    const known = this.samples.filter(Boolean);
    const top = { rate: Math.max(500_000, ...known.map((each) => each.rate)), delay: Math.max(500, ...known.map((each) => each.delay)), loss: 0.2 };
    const step = width / (span - 1);
    const at = (index) => (width - (this.samples.length - 1 - index) * step).toFixed(1);
    const y = (name, value) => (height - 1 - (height - 2) * Math.min(1, value / top[name])).toFixed(1);
    for (const name of ["rate", "delay"]) this.#paths[name].setAttribute("d", line(this.samples, at, (each) => y(name, each[name])));
    const bars = this.samples.map((each, index) => (each?.loss > 0 ? `M${at(index)} ${height}V${y("loss", each.loss)}` : ""));
    this.#paths.loss.setAttribute("d", bars.join(""));
    setText(this.#title, describe(known));
  }
}

/** One stroke for each stretch without a gap. */
function line(samples, x, y) {
  return samples.map((each, index) => (each ? `${samples[index - 1] ? "L" : "M"}${x(index)} ${y(each)}` : "")).join("");
}

/** The plot for who cannot see it. */
function describe(known) {
  if (known.length === 0) return "Plot of the last 60 seconds: nothing came in";
  const range = (name) => [Math.min, Math.max].map((pick) => pick(...known.map((each) => each[name])));
  const [[slow, fast], [early, late], [, lost]] = ["rate", "delay", "loss"].map(range);
  return `Plot of the last ${known.length} seconds: bitrate ${rate(slow)} to ${rate(fast)}, delay ${early} to ${late} ms, loss at most ${percent(lost)}`;
}

function percent(ratio) {
  return `${(100 * ratio).toFixed(ratio > 0 && ratio < 0.1 ? 1 : 0)} %`;
}

function shape(name, attributes) {
  const node = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
