/**
 * One's own position: on one's own map, and to the incident as the unit's, once one has agreed to it.
 * @module
 */

import { bearing, metresBetween } from "../shared/mapplaces.js";
import { element, setText } from "../shared/dom.js";
import { position as words } from "./words.js";

/** Milliseconds between two reports of somebody who moves, and of somebody who does not. */
const movingInterval = 5000;
const restingInterval = 30_000;
/** Metres that count as having moved. */
const moved = 10;
const storageKey = "sightline.field.sharesPosition";

/** Dispatches `change` with every new fix. */
export class Position extends EventTarget {
  /** @type {import("../shared/incident.js").Fix | undefined} */
  fix;
  /** Reports that the service has taken. */
  sent = 0;

  #metadata;
  #unit;
  #isOnIt;
  #watch;
  #state = "off";
  #lastSent;
  #lastSentAt = 0;
  #timer;

  /**
   * @param {{metadata: import("../shared/metadata.js").MetadataChannel, unit: string | undefined, isOnIt: () => boolean}} parts
   *   `isOnIt`: whether the unit is on the incident now
   */
  constructor({ metadata, unit, isOnIt }) {
    super();
    this.#metadata = metadata;
    this.#unit = unit;
    this.#isOnIt = isOnIt;
    element("position").addEventListener("click", () => (this.isOn ? this.stop(true) : this.start()));
    this.render();
  }

  get isOn() {
    return this.#watch !== undefined;
  }

  /** Goes on with what was agreed to on this device. */
  resume() {
    if (stored()) this.start();
  }

  start() {
    if (this.isOn) return;
    store(true);
    this.#state = "waiting";
    this.#watch = navigator.geolocation.watchPosition(
      (place) => this.#take(place),
      (error) => this.#fail(error),
      { enableHighAccuracy: true, maximumAge: 5000, timeout: 20_000 });
    this.render();
  }

  /** @param {boolean} isForGood the person wants it no longer */
  stop(isForGood) {
    if (this.isOn) navigator.geolocation.clearWatch(this.#watch);
    clearTimeout(this.#timer);
    this.#watch = undefined;
    this.fix = undefined;
    if (isForGood) store(false);
    this.#state = "off";
    this.render();
    this.dispatchEvent(new Event("change"));
  }

  #take({ coords, timestamp }) {
    const before = this.fix;
    const fix = { lat: coords.latitude, lon: coords.longitude, fixedAt: new Date(timestamp).toISOString() };
    for (const name of ["accuracy", "heading", "speed"]) if (Number.isFinite(coords[name])) fix[name] = coords[name];
    // Many devices tell no direction: it follows from the way.
    if (fix.heading === undefined && before) fix.heading = metresBetween(before, fix) > 5 ? bearing(before, fix) : before.heading;
    this.fix = fix;
    this.#state = "on";
    this.report();
    this.render();
    this.dispatchEvent(new Event("change"));
  }

  #fail({ code, PERMISSION_DENIED }) {
    if (code === PERMISSION_DENIED) this.stop(true);
    this.#state = code === PERMISSION_DENIED ? "refused" : "failed";
    this.render();
  }

  /** Tells the incident, when there is something to tell. What cannot go out now is worth nothing later. */
  async report() {
    if (!this.fix || !this.#isOnIt() || this.#metadata.state !== "connected") return;
    const since = performance.now() - this.#lastSentAt;
    const hasMoved = !this.#lastSent || metresBetween(this.#lastSent, this.fix) > moved;
    const pause = this.#lastSent ? (hasMoved ? movingInterval : restingInterval) - since : 0;
    clearTimeout(this.#timer);
    // Devices tell of changes only: the last one must not stay untold.
    if (pause > 0) {
      this.#timer = setTimeout(() => this.report(), pause);
      return;
    }
    this.#lastSent = this.fix;
    this.#lastSentAt = performance.now();
    const { heading, ...rest } = this.fix;
    try {
      await this.#metadata.send("unit.location", { unit: this.#unit, ...rest, ...(heading !== undefined && { heading }) });
      this.sent += 1;
    } catch {
      // The unit was stood down a moment ago, or the page says already what is wrong.
    }
    this.render();
  }

  render() {
    const isOwnOnly = this.#state === "on" && !this.#isOnIt();
    const text = { off: words.off, waiting: words.waiting, refused: words.refused, failed: words.failed, on: isOwnOnly ? words.ownOnly : words.shared };
    setText(element("position-state"), text[this.#state]);
    setText(element("position"), this.isOn ? words.stop : words.start);
    element("position").classList.toggle("primary", !this.isOn);
    element("position").parentElement.toggleAttribute("data-on", this.isOn);
  }
}

function stored() {
  try {
    return localStorage.getItem(storageKey) === "yes";
  } catch {
    return false;
  }
}

function store(isOn) {
  try {
    if (isOn) localStorage.setItem(storageKey, "yes");
    else localStorage.removeItem(storageKey);
  } catch {
    // A private window may refuse to store: the next page asks again.
  }
}
