/**
 * The alert: while a call waits and nobody has taken it, two tones sound every few seconds, and the page's title counts.
 * @module
 */

import { build, setState, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { readChoice, writeChoice } from "./choices.js";
import { isWaiting } from "./queue.js";

/** Milliseconds between two alerts; a life at risk is told more often. */
const pauses = { P1: 2500, other: 5000 };
/** Milliseconds that a new call has before it sounds: whoever opened it takes it in the same moment. */
const grace = 700;
/** Hertz of the two tones, and how long one lasts. */
const tones = [784, 587];
const toneSeconds = 0.18;

/** Sounds, counts, and says when it cannot sound. */
export class Alert {
  /** How often it has sounded, and when it did last. */
  #rings = 0;
  #lastRing = -Infinity;
  #shell;
  #list;
  #context;
  /** Calls for which it is silent: muted by hand, or just taken here. */
  #muted = new Set();
  #settled = new Set();
  #seenAt = new Map();
  #choices = readChoice("alert", { isOn: true, volume: 0.6 });
  #title = document.title;
  #state;
  #panel;

  /** @param {import("../shared/shell.js").Shell} shell @param {import("../shared/incidentlist.js").IncidentList} list */
  constructor(shell, list) {
    [this.#shell, this.#list] = [shell, list];
    this.#title = document.title;
    this.#state = build("button", { id: "alert-state", class: "alert-state", hidden: true, onclick: () => this.allow(true) });
    this.bar = build("div", { class: "alert" }, this.#settings(), this.#state);
    // Browsers let a page sound only after somebody has touched it.
    const allow = () => this.allow();
    addEventListener("pointerdown", allow);
    addEventListener("keydown", allow);
    setInterval(() => this.#look(), 250);
  }

  /** @returns {import("../shared/keys.js").Shortcut[]} */
  get shortcuts() {
    return [{ key: "z", words: "Mute the alert for the calls that wait now", when: () => this.#sounding.length > 0, action: () => this.#muteAll() }];
  }

  /** For tests. */
  get facts() {
    return { rings: this.#rings, isAllowed: this.#isAllowed, isOn: this.#choices.isOn, sounding: this.#sounding.map(({ id }) => id), volume: this.#choices.volume };
  }

  get #isAllowed() {
    return this.#context?.state === "running";
  }

  get #sounding() {
    return this.#list.sorted.filter((summary) => isWaiting(summary) && !this.#muted.has(summary.id) && !this.#settled.has(summary.id));
  }

  /** Makes the sound possible. @param {boolean} isAsked somebody pressed the button: it is on from now on */
  allow(isAsked = false) {
    this.#context ??= new AudioContext();
    if (this.#context.state !== "running") this.#context.resume().then(() => this.render(), () => {});
    if (isAsked && !this.#choices.isOn) this.#choose({ isOn: true });
    if (isAsked) this.#test();
  }

  isMuted(id) {
    return this.#muted.has(id);
  }

  /** Mutes a call, or lets it sound again. */
  mute(id) {
    if (!this.#muted.delete(id)) this.#muted.add(id);
    this.#list.dispatchEvent(new Event("change"));
  }

  #muteAll() {
    for (const { id } of this.#sounding) this.#muted.add(id);
    this.#shell.toast("The alert is muted for the calls that wait now. New calls sound again.");
    this.#list.dispatchEvent(new Event("change"));
  }

  /** It was taken here: the news of it will follow. */
  settle(id) {
    this.#settled.add(id);
    setTimeout(() => this.#settled.delete(id), 5000);
  }

  // MARK: Sound

  #look() {
    const now = performance.now();
    const sounding = this.#sounding.filter(({ id }) => {
      if (!this.#seenAt.has(id)) this.#seenAt.set(id, now);
      return now - this.#seenAt.get(id) >= grace;
    });
    for (const id of this.#seenAt.keys()) if (!this.#list.incidents.has(id)) this.#seenAt.delete(id);
    if (sounding.length === 0 || !this.#choices.isOn || !this.#isAllowed) return;
    const pause = sounding[0].priority === "P1" ? pauses.P1 : pauses.other;
    if (now - this.#lastRing < pause) return;
    this.#lastRing = now;
    this.#rings += 1;
    this.#sound(sounding[0].priority === "P1" ? 3 : 2);
  }

  #test() {
    this.#context?.resume().then(() => this.#sound(2), () => {});
  }

  #sound(count) {
    const gain = new GainNode(this.#context, { gain: 0 });
    gain.connect(this.#context.destination);
    const start = this.#context.currentTime + 0.02;
    const level = 0.5 * this.#choices.volume ** 2;
    for (let index = 0; index < count; index += 1) {
      const at = start + index * toneSeconds;
      const tone = new OscillatorNode(this.#context, { type: "triangle", frequency: tones[index % tones.length] });
      tone.connect(gain);
      gain.gain.setTargetAtTime(level, at, 0.01);
      gain.gain.setTargetAtTime(0, at + toneSeconds - 0.05, 0.015);
      tone.start(at);
      tone.stop(at + toneSeconds);
    }
  }

  // MARK: What is shown

  #settings() {
    const volume = build("input", { id: "alert-volume", type: "range", min: 0.1, max: 1, step: 0.1, value: this.#choices.volume });
    volume.addEventListener("change", () => [this.#choose({ volume: Number(volume.value) }), this.allow(), this.#test()]);
    const isOn = build("input", { id: "alert-on", type: "checkbox" });
    isOn.checked = this.#choices.isOn;
    isOn.addEventListener("change", () => this.#choose({ isOn: isOn.checked }));
    const summary = build("summary", { id: "alert-settings", title: "Alert sound" });
    this.#panel = { summary, isOn };
    const panel = build(
      "details", { class: "menu" }, summary,
      build("div", { class: "menu-items alert-panel" },
        build("label", { class: "check" }, isOn, "Sound while a call waits"),
        build("label", { for: "alert-volume" }, "Volume"), volume,
        build("button", { onclick: () => [this.allow(), this.#test()] }, icon("sound"), "Test the sound")));
    panel.addEventListener("keydown", (event) => {
      // Arrows are the volume's here.
      if (event.key.startsWith("Arrow") || (event.key === "Escape" && panel.open)) event.stopPropagation();
      if (event.key === "Escape") [panel.open = false, summary.focus()];
    });
    panel.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !panel.contains(relatedTarget)) panel.open = false;
    });
    return panel;
  }

  #choose(choice) {
    Object.assign(this.#choices, choice);
    writeChoice("alert", this.#choices);
    this.#panel.isOn.checked = this.#choices.isOn;
    this.render();
  }

  render() {
    const waiting = this.#list.sorted.filter(isWaiting).length;
    const title = waiting > 0 ? `(${waiting}) ${this.#title}` : this.#title;
    if (document.title !== title) document.title = title;
    const { isOn } = this.#choices;
    const words = !isOn ? "Alert sound is off: click to switch it on" : this.#isAllowed ? "" : "Alert sound is blocked: click to allow";
    setText(this.#state, words);
    setState(this.#state, "hidden", words === "");
    const name = isOn ? (this.#isAllowed ? "Alert on" : "Alert blocked") : "Alert off";
    if (this.#panel.summary.dataset.is === name) return;
    this.#panel.summary.dataset.is = name;
    this.#panel.summary.replaceChildren(icon(isOn ? "bell" : "soundOff"), build("span", { class: "unseen" }, `${name}: settings`));
  }
}
