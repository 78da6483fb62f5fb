/**
 * How the caller's device is: battery, network, camera, lamp, microphone; what is out of the ordinary stands out.
 * @module
 */

import { build, replaceWhenNew, setState } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { age, secondsSince } from "../shared/times.js";

const networks = { wifi: "Wi-Fi", cellular: "mobile", ethernet: "cable", none: "no network", unknown: "" };
const cameras = { front: "front camera", back: "back camera", screen: "shows its screen", none: "no camera" };
/** Charge below which it will soon be gone. */
const low = 0.15;
/** Seconds without news after which it is said how old it is. */
const old = 60;

/** One line of small marks. */
export class Device {
  root = build("section", { class: "fact device", "aria-label": "Caller's device", hidden: true });
  #current;

  /** @param {import("./current.js").CurrentIncident} current */
  constructor(current) {
    this.#current = current;
  }

  render() {
    const caller = this.#current.model.headline;
    const marks = caller ? marksOf(caller) : [];
    setState(this.root, "hidden", marks.length === 0 || this.#current.model.isClosed);
    replaceWhenNew(this.root, marks, () => marks.map(({ words, symbol, isBad }) => build("span", { class: isBad ? "chip bad" : "chip" }, icon(symbol), words)));
  }
}

/** @param {import("../shared/incident.js").Caller} caller @returns {{words: string, symbol: string, isBad?: boolean}[]} */
function marksOf({ device, deviceAt, stage }) {
  const { battery, charging, network, downlink, camera, torch, muted, silent, language } = device;
  const marks = [];
  const add = (when, words, symbol, isBad = false) => when && marks.push({ words, symbol, isBad });
  add(stage === "paused", "page in the background", "pause", true);
  add(silent, "silent mode", "eyeOff", true);
  add(muted, "microphone off", "micOff", true);
  add(battery !== undefined, `${Math.round(100 * battery)} %${charging ? ", charging" : ""}`, "battery", battery < low && !charging);
  add(networks[network], `${networks[network]}${downlink ? ` ${Math.round(downlink)} Mbit/s` : ""}`, "phone", network === "none");
  add(camera, cameras[camera] ?? camera, "camera", camera === "none");
  add(torch, "torch on", "torch");
  add(language, `speaks ${languageName(language)}`, "chat");
  if (deviceAt && marks.length > 0 && secondsSince(deviceAt) > old) marks.push({ words: age(secondsSince(deviceAt)), symbol: "warn" });
  return marks;
}

/** @param {string} language BCP 47 */
export function languageName(language = "en") {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(language) ?? language;
  } catch {
    return language;
  }
}
