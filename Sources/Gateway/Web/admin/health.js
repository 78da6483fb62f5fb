/**
 * The node's figures, now and over the last minutes.
 * @module
 */

import { build, replaceWhenNew } from "../shared/dom.js";
import { bytes, dayAndTime } from "../shared/times.js";

const namespace = "http://www.w3.org/2000/svg";

export class Health {
  #node;
  #panel;
  #state = build("p", { class: "hint" });
  #tiles = build("dl", { class: "tiles" });
  #plots = build("div", { class: "plots" });

  /** @param {import("./nodestate.js").NodeState} node */
  constructor(node) {
    this.#node = node;
    node.addEventListener("news", () => this.#render());
  }

  /** @param {HTMLElement} panel */
  show(panel) {
    this.#panel = panel;
    if (!panel.firstChild) panel.append(build("h2", {}, "Health"), this.#state, this.#tiles, this.#plots);
    this.#render();
  }

  #render() {
    const { report, isFresh } = this.#node;
    if (!this.#panel || this.#panel.hidden) return;
    if (!report) {
      this.#state.textContent = "Asking the node…";
      return;
    }
    this.#state.textContent = `Version ${report.version}, running for ${duration(report.uptimeSeconds)}, since ${dayAndTime(report.startedAt)}.${isFresh ? "" : " The node does not answer: these figures are old."}`;
    replaceWhenNew(this.#tiles, figures(report), () => figures(report).map(tile));
    replaceWhenNew(this.#plots, report.history, () => plots(report));
  }
}

/** @returns {{name: string, figure: string, note?: string, state?: string}[]} */
function figures({ media, sessions, webSockets, connections, incidentsInMemory, journal, recorder, space, webhooks, sending }) {
  const used = space.quota > 0 ? Math.round((space.archive / space.quota) * 100) : 0;
  const filled = space.diskCapacity > 0 ? Math.round((1 - space.diskFree / space.diskCapacity) * 100) : 0;
  const latency = journal.commitMilliseconds;
  return [
    { name: "People with media", figure: String(media.peers), note: `${counted(media.sources, "stream")} in ${counted(media.incidents, "incident")}` },
    { name: "Media threads", figure: String(media.threads), note: counted(sessions, "signalling session") },
    { name: "Live connections", figure: String(connections), note: counted(webSockets, "WebSocket") },
    { name: "Incidents in memory", figure: String(incidentsInMemory) },
    { name: "Events", figure: `${rounded(journal.eventsPerSecond)}/s`, note: `${journal.events} since the start` },
    { name: "Journal write", figure: latency === undefined ? "idle" : `${rounded(latency)} ms`, note: journal.failures > 0 ? `${journal.failures} failed` : "until it is on the disk", state: latency > 100 || journal.failures > 0 ? "warn" : undefined },
    recorder
      ? { name: "Recorder", figure: counted(recorder.sources, "stream"), note: `${bytes(recorder.bytesWaiting)} waiting, ${counted(recorder.losses, "piece")} lost`, state: recorder.losses > 0 ? "warn" : undefined }
      : { name: "Recorder", figure: "off", note: "Started with --no-recording", state: "warn" },
    space.diskCapacity > 0
      ? { name: "Room for recordings", figure: `${used} %`, note: `${bytes(space.archive)} of ${bytes(space.quota)}`, gauge: used, state: used >= 80 ? "warn" : undefined }
      : { name: "Room for recordings", figure: "…", note: "measured within a minute of the start" },
    ...(space.diskCapacity > 0 ? [{ name: "Disk", figure: `${bytes(space.diskFree)} free`, note: `of ${bytes(space.diskCapacity)}`, gauge: filled, state: filled >= 80 ? "warn" : undefined }] : []),
    way("Text messages", sending.sms), way("Mails", sending.email),
    { name: "Webhooks", figure: `${webhooks.delivered} delivered`, note: `${webhooks.failedTries} tries failed, ${webhooks.deadLetters} given up`, state: webhooks.deadLetters > 0 ? "warn" : undefined },
  ];
}

function way(name, { setUp, accepted, failed, trouble }) {
  if (!setUp) return { name, figure: "not set up" };
  return { name, figure: `${accepted} sent`, note: trouble ?? `${failed} failed since the start`, state: trouble ? "warn" : undefined };
}

function tile({ name, figure, note, state, gauge }) {
  let bar;
  if (gauge !== undefined) {
    const fill = build("span", {});
    fill.style.width = `${Math.min(100, gauge)}%`;
    bar = build("dd", { "aria-hidden": true }, build("div", { class: "gauge", dataset: { state: state ?? "" } }, fill));
  }
  return build("div", { class: "tile", dataset: { state: state ?? "" } }, build("dt", {}, name), build("dd", { class: "figure" }, figure), bar, note && build("dd", { class: "hint" }, note));
}

function plots({ history, historyStepSeconds }) {
  const minutes = Math.max(1, Math.round((history.length * historyStepSeconds) / 60));
  const span = `the last ${minutes === 1 ? "minute" : `${minutes} minutes`}`;
  return [
    plot("Events a second", history.map(({ eventsPerSecond }) => eventsPerSecond), "", span),
    plot("Journal write, milliseconds", history.map(({ commitMilliseconds }) => commitMilliseconds ?? 0), " ms", span),
    plot("People with media", history.map(({ peers }) => peers), "", span),
  ];
}

function plot(name, values, unit, span) {
  const highest = Math.max(...values, 0);
  const ceiling = highest || 1;
  const width = 240;
  const height = 48;
  const x = (index) => (values.length > 1 ? (index / (values.length - 1)) * width : 0);
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", `0 -2 ${width} ${height + 4}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const axis = document.createElementNS(namespace, "path");
  axis.setAttribute("class", "axis");
  axis.setAttribute("d", `M0 ${height}H${width}`);
  const line = document.createElementNS(namespace, "path");
  line.setAttribute("d", values.map((value, index) => `${index === 0 ? "M" : "L"}${x(index).toFixed(1)} ${(height - (value / ceiling) * height).toFixed(1)}`).join(""));
  line.setAttribute("vector-effect", "non-scaling-stroke");
  svg.append(axis, line);
  const text = values.length < 2 ? "Figures come within a few seconds of the start." : `Now ${rounded(values.at(-1))}${unit}, highest ${rounded(highest)}${unit} in ${span}.`;
  return build("section", { class: "panel plot" }, build("h2", {}, name), build("div", { class: "inside" }, svg, build("p", { class: "hint figures" }, text)));
}

function rounded(value) {
  return value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(value < 1 ? 2 : 1);
}

function counted(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

function duration(seconds) {
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : minutes > 0 ? `${minutes} min` : `${seconds} s`;
}
