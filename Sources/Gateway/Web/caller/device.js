/**
 * What staff sees of the caller's phone: battery, network, how it is held, camera, lamp and microphone, its
 * language, and whether the page is dark.
 * @module
 */

import { language } from "./language.js";
import { silence } from "./silence.js";

/** Milliseconds between two reports of changes. */
const interval = 3000;

/** Reports changes; whoever comes to watch is told again. */
export class DeviceReporter {
  #metadata;
  #caller;
  #call;
  #battery;
  #people = 0;
  #last = "";
  #sentAt = -Infinity;
  #timer;

  /**
   * @param {import("../shared/metadata.js").MetadataChannel} metadata
   * @param {() => string} caller who we are in the journal; empty while that is not known
   * @param {() => import("./call.js").Call | undefined} call
   */
  constructor(metadata, caller, call) {
    this.#metadata = metadata;
    this.#caller = caller;
    this.#call = call;
    metadata.addEventListener("state", () => this.again());
    metadata.on("presence", ({ payload }) => {
      const people = payload.people?.length ?? 0;
      if (people > this.#people) this.again();
      this.#people = people;
    });
  }

  start() {
    const look = () => this.look();
    screen.orientation?.addEventListener?.("change", look);
    navigator.connection?.addEventListener?.("change", look);
    addEventListener("online", look);
    language.addEventListener("change", look);
    silence.addEventListener("change", look);
    navigator.getBattery?.().then((battery) => {
      this.#battery = battery;
      for (const type of ["levelchange", "chargingchange"]) battery.addEventListener(type, look);
      this.look();
    }, () => {});
    this.look();
  }

  /** Reports even when nothing has changed: somebody new listens. */
  again() {
    this.#last = "";
    this.look();
  }

  /** Reports what has changed, now or when it is time again. */
  look() {
    if (!this.#caller() || this.#timer) return;
    const state = this.state;
    const text = JSON.stringify(state);
    if (text === this.#last) return;
    const pause = this.#sentAt + interval - performance.now();
    if (pause > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.look();
      }, pause);
      return;
    }
    if (!this.#metadata.sendEphemeral("caller.device", { caller: this.#caller(), ...state })) return;
    this.#last = text;
    this.#sentAt = performance.now();
  }

  get state() {
    const call = this.#call();
    const hasCamera = call?.camera && !call.isCameraLost;
    const downlink = navigator.connection?.downlink;
    return {
      ...(this.#battery && {
        battery: Math.round(this.#battery.level * 100) / 100, charging: this.#battery.charging,
      }),
      network: network(),
      ...(Number.isFinite(downlink) && { downlink }),
      orientation: matchMedia("(orientation: portrait)").matches ? "portrait" : "landscape",
      camera: call?.isScreenShown ? "screen" : !hasCamera ? "none" : call.facing === "user" ? "front" : "back",
      torch: call?.isTorchOn ?? false,
      muted: !call?.microphone || call.isMuted,
      silent: silence.isOn,
      language: language.code,
    };
  }
}

function network() {
  if (!navigator.onLine) return "none";
  const type = navigator.connection?.type;
  return ["wifi", "cellular", "ethernet", "none"].includes(type) ? type : "unknown";
}
