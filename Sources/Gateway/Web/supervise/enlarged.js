/**
 * One incident of the wall, large: first it is said that watching is announced, then the picture is live.
 * @module
 */

import { build, setSource, setState, setText } from "../shared/dom.js";
import { IncidentEvents } from "../shared/events.js";
import { icon } from "../shared/icons.js";
import { IncidentModel } from "../shared/incident.js";
import { LivePeer } from "../shared/live.js";
import { MetadataChannel } from "../shared/metadata.js";
import { priorityMark } from "../shared/priority.js";
import { reductionWords } from "../shared/quality.js";
import { clock } from "../shared/times.js";
import { stages } from "./words.js";

/** Dispatches `close` when somebody closes it. */
export class Enlarged extends EventTarget {
  /** @type {string | undefined} */
  incident;
  #root;
  #session;
  #parts = {};
  /** @type {LivePeer | undefined} */
  #live;
  #events;
  #model;
  #isRevealed = false;
  #isLoud = false;

  /** @param {HTMLElement} root @param {import("../shared/session.js").Session} session */
  constructor(root, session) {
    super();
    this.#root = root;
    this.#session = session;
  }

  /** `idle`, `asking`, or what the connection says. */
  get state() {
    if (!this.incident) return "idle";
    return this.#live ? this.#live.slots[0].state === "live" ? "live" : this.#live.state : "asking";
  }

  /** @param {import("../shared/incidentlist.js").Summary} summary @param {boolean} isRevealed */
  open(summary, isRevealed) {
    this.#end();
    this.incident = summary.id;
    this.#isRevealed = isRevealed;
    this.#isLoud = false;
    this.#build(summary);
    this.#root.hidden = false;
    this.#parts.watch.focus();
  }

  close() {
    if (!this.incident) return;
    this.#end();
    this.incident = undefined;
    this.#root.hidden = true;
    this.#root.replaceChildren();
    this.dispatchEvent(new Event("close"));
  }

  /** @param {boolean} isRevealed */
  reveal(isRevealed) {
    this.#isRevealed = isRevealed;
    if (this.incident) this.#render();
  }

  #end() {
    this.#live?.stop();
    this.#events?.close();
    this.#live = this.#events = this.#model = undefined;
  }

  #build(summary) {
    const { id, priority, type, exercise } = summary;
    const parts = {
      video: build("video", { playsinline: true, muted: true, "aria-label": `Live picture of ${id}` }),
      note: build("p", { class: "enlarged-note figures", role: "status" }),
      watch: build("button", { class: "primary", type: "button", onclick: () => this.#watch() }, icon("eye"), "Watch live"),
      sound: build("button", { type: "button", hidden: true, onclick: () => this.#toggleSound() }, icon("sound"), build("span", {}, "Sound on")),
      announce: build(
        "p", { class: "announce" }, icon("people"),
        "Your presence is announced: the caller, the operator and the units see that a supervisor watches, and the journal keeps it."),
      facts: build("dl", { class: "enlarged-facts" }),
      audio: build("audio", { autoplay: true, muted: true }),
    };
    // The attribute says only how it begins.
    parts.video.muted = parts.audio.muted = true;
    parts.video.autoplay = true;
    this.#parts = parts;
    this.#root.replaceChildren(
      build(
        "header", { class: "enlarged-head" }, priorityMark(priority), exercise && build("span", { class: "exercise-mark" }, "EXERCISE"),
        build("h2", {}, `${type || "No type yet"} #${id}`),
        build("button", { class: "quiet", type: "button", onclick: () => this.close() }, icon("close"), build("span", { class: "unseen" }, "Close"))),
      build("div", { class: "enlarged-picture" }, parts.video, parts.note),
      parts.announce,
      build("div", { class: "enlarged-actions" }, parts.watch, parts.sound,
        build("a", { class: "button", href: this.#session.address(`/console/${encodeURIComponent(id)}`) }, icon("list"), "Open in the console")),
      parts.facts, parts.audio);
    this.#render();
  }

  async #watch() {
    const incident = this.incident;
    this.#parts.watch.disabled = true;
    const metadata = new MetadataChannel(incident);
    const events = new IncidentEvents(this.#session.token, metadata);
    const model = new IncidentModel(incident, metadata);
    const live = new LivePeer({ session: this.#session, incident, metadata, events, pictures: 1, voices: 2 });
    [this.#events, this.#model, this.#live] = [events, model, live];
    for (const each of [live, model, events]) each.addEventListener("change", () => this.#live === live && this.#render());
    events.open();
    await live.start();
  }

  #toggleSound() {
    this.#isLoud = !this.#isLoud;
    this.#parts.video.muted = this.#parts.audio.muted = !this.#isLoud;
    this.#render();
  }

  #render() {
    const { video, note, watch, sound, announce, facts, audio } = this.#parts;
    const live = this.#live;
    watch.hidden = live !== undefined;
    announce.hidden = live !== undefined;
    sound.hidden = live === undefined;
    setText(sound.querySelector("span"), this.#isLoud ? "Sound off" : "Sound on");
    sound.setAttribute("aria-pressed", String(this.#isLoud));
    if (live) {
      setSource(video, live.slots[0].stream);
      setSource(audio, live.voices);
    }
    setState(this.#root, "data-watching", live !== undefined);
    setState(this.#root, "data-blurred", live !== undefined && !this.#isRevealed);
    setText(note, this.#noteWords());
    this.#renderFacts(facts);
  }

  #noteWords() {
    const live = this.#live;
    if (!live) return "Not connected yet";
    if (live.state === "failed") return live.error?.message ?? String(live.error ?? "The connection failed.");
    if (live.state !== "connected") return `Connecting, ${Math.floor((performance.now() - (live.since ?? performance.now())) / 1000)} s`;
    const [slot] = live.slots;
    if (slot.state === "waiting") return "Waiting for a picture";
    const reduced = reductionWords(slot.view);
    if (slot.state === "soundOnly") return reduced || "Sound only";
    if (slot.state === "still") return `No new picture for ${Math.floor(slot.secondsWithoutFrame)} s`;
    return [this.#isRevealed ? "" : "Picture hidden. Press R to reveal the wall.", reduced].filter(Boolean).join(" ");
  }

  #renderFacts(facts) {
    const model = this.#model;
    if (!model) return;
    const rows = [
      ["Callers", [...model.callers.values()].map(({ name, id, stage }) => `${name ?? id}, ${stages[stage] ?? stage}`).join("; ")],
      ["Works on it", [...model.assignments.values()].map(({ name }) => name).join(", ") || "nobody"],
      ["Watching", [...model.watching.values()].map(({ name, role }) => `${name} (${role})`).join(", ") || "nobody"],
      ["Place", model.place?.text ?? (model.point ? `${model.point.lat.toFixed(5)}, ${model.point.lon.toFixed(5)}` : "not known")],
      ["Open for", model.openedAt ? clock((Date.now() - Date.parse(model.openedAt)) / 1000) : ""],
    ].filter(([, value]) => value);
    while (facts.children.length < rows.length) facts.append(build("div", {}, build("dt"), build("dd", { class: "figures" })));
    while (facts.children.length > rows.length) facts.lastChild.remove();
    rows.forEach(([name, value], index) => {
      setText(facts.children[index].firstChild, name);
      setText(facts.children[index].lastChild, value);
    });
  }
}
