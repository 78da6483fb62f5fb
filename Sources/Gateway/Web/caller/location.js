/**
 * Where the caller is: watches the phone's place and reports it, at most once a second, and later what could not be sent.
 * @module
 */

/** Milliseconds between two reports. */
const interval = 1000;
/** Fixes that are kept while nothing can be sent; beyond it every other one goes, so that the way stays in sight. */
const maximumTrack = 120;
/** Milliseconds that staff waits for a new place. */
const requestTimeout = 6000;
const options = { enableHighAccuracy: true, maximumAge: 5000, timeout: 30_000 };

/**
 * `asking`: the phone has not answered. `watching`: places come in. `refused`: the person or a setting said no.
 * `unavailable`: this device cannot tell.
 * @typedef {"off" | "asking" | "watching" | "refused" | "unavailable"} LocationState
 */

/** Dispatches `state` at every change of state and `fix` with every place. */
export class LocationReporter extends EventTarget {
  /** @type {LocationState} */
  state = "off";
  /** The newest place, as it is reported. */
  fix;

  #metadata;
  #caller;
  #track = [];
  #watch;
  #timer;
  #isSending = false;
  #sentAt = -Infinity;

  /**
   * @param {import("../shared/metadata.js").MetadataChannel} metadata
   * @param {() => string} caller who we are in the journal; empty while that is not known
   */
  constructor(metadata, caller) {
    super();
    this.#metadata = metadata;
    this.#caller = caller;
    metadata.addEventListener("state", () => this.#pump());
  }

  /** Asks for the place, once, and goes on reporting it. */
  start() {
    if (!navigator.geolocation) return this.#enter("unavailable");
    if (this.#watch !== undefined) return undefined;
    this.#enter("asking");
    this.#watch = navigator.geolocation.watchPosition(
      (position) => this.#take(position), (error) => this.#onError(error), options);
    return undefined;
  }

  stop() {
    if (this.#watch !== undefined) navigator.geolocation.clearWatch(this.#watch);
    this.#watch = undefined;
    clearTimeout(this.#timer);
    this.#track = [];
    this.#enter("off");
  }

  /**
   * Measures anew and reports it; the newest place once more when the phone has nothing newer.
   * @returns {Promise<"done" | "refused" | "unsupported" | "failed">}
   */
  request() {
    if (!navigator.geolocation) return Promise.resolve("unsupported");
    return new Promise((resolve) => {
      navigator.geolocation.getCurrentPosition(
        (position) => {
          this.#take(position);
          this.start();
          resolve("done");
        },
        (error) => {
          if (error.code === error.PERMISSION_DENIED) return resolve("refused");
          if (!this.fix) return resolve("failed");
          this.#track.push(this.fix);
          this.#pump();
          return resolve("done");
        },
        { ...options, maximumAge: 0, timeout: requestTimeout });
    });
  }

  #take({ coords, timestamp }) {
    this.fix = {
      lat: coords.latitude,
      lon: coords.longitude,
      ...known({
        accuracy: coords.accuracy, altitude: coords.altitude, altitudeAccuracy: coords.altitudeAccuracy,
        heading: coords.heading, speed: coords.speed,
      }),
      fixedAt: new Date(timestamp).toISOString(),
    };
    const last = this.#track.at(-1);
    if (last?.fixedAt === this.fix.fixedAt) this.#track.pop();
    this.#track.push(this.fix);
    if (this.#track.length > maximumTrack) {
      const newest = this.#track.length - 1;
      this.#track = this.#track.filter((_, index) => index % 2 === 0 || index === newest);
    }
    this.#enter("watching");
    this.dispatchEvent(new Event("fix"));
    this.#pump();
  }

  #onError(error) {
    if (error.code === error.PERMISSION_DENIED) {
      this.#enter("refused");
      this.#watch = undefined;
    } else if (this.state === "asking") {
      // No satellites and no network yet: the watch goes on.
      this.#enter("unavailable");
    }
  }

  /** Sends what waits, the oldest first; while all is well that is the newest place and no other. */
  async #pump() {
    clearTimeout(this.#timer);
    if (this.#isSending || this.#track.length === 0 || !this.#caller() || this.#metadata.state !== "connected") return;
    const pause = this.#sentAt + interval - performance.now();
    if (pause > 0) {
      this.#timer = setTimeout(() => this.#pump(), pause);
      return;
    }
    this.#isSending = true;
    this.#sentAt = performance.now();
    const fixes = this.#wasOffline ? this.#track : this.#track.slice(-1);
    this.#track = [];
    this.#wasOffline = false;
    const sent = fixes.map((fix) => this.#metadata.send("location", { caller: this.#caller(), source: "device", ...fix }));
    for (const result of await Promise.allSettled(sent)) {
      if (result.status === "rejected") console.warn("sightline: a place was not taken:", result.reason.message);
    }
    this.#isSending = false;
    // What came meanwhile: more than a moment's worth of it means that we were cut off.
    this.#wasOffline = performance.now() - this.#sentAt > 3 * interval;
    this.#pump();
  }

  /** At the start, too, everything that waits is worth sending. */
  #wasOffline = true;

  #enter(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}

/** What a device does not know it calls null or NaN. */
function known(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)));
}
