/**
 * The map beside a replay: where callers and units were at the playhead's moment, with the way they had come.
 * @module
 */

import { build } from "../shared/dom.js";

/** Fixes drawn of each caller's way. */
const maximumTrack = 200;
const wrongMarks = new Set(["impossible", "fromTheFuture"]);
const style = "/assets/shared/map.css";

/** The map that follows the playhead; without one the coordinates stand alone, as words do. */
export class ReplayMap {
  #archive;
  #map;
  #shown = "";

  /**
   * @param {HTMLElement} element hidden until there is a map
   * @param {import("./archive.js").Archive} archive
   * @param {object} service what `/api/v1/service` says of maps
   */
  constructor(element, archive, service) {
    this.#archive = archive;
    this.#open(element, service);
  }

  async #open(element, service) {
    let IncidentMap;
    try {
      ({ IncidentMap } = await import("../shared/map.js"));
    } catch {
      // The page does without: the place is told in words above.
      return;
    }
    document.head.append(build("link", { rel: "stylesheet", href: style }));
    element.hidden = false;
    this.#map = new IncidentMap(element, { service });
    this.#shown = "";
  }

  /** @param {number} position seconds from the epoch */
  show(position) {
    if (!this.#map) return;
    const fixes = this.#archive.cues.filter(({ kind, at, details }) =>
      kind === "location" && at <= position && !details?.marks?.some((mark) => wrongMarks.has(mark)));
    const state = `${fixes.length} ${fixes.at(-1)?.number ?? 0} ${Math.floor(position / 5)}`;
    if (state === this.#shown) return;
    this.#shown = state;
    this.#map.update(this.#model(fixes), { now: this.#archive.wallTime(position) });
  }

  /** As much of an incident as a map asks for. */
  #model(fixes) {
    const callers = new Map();
    for (const { at, who, details } of fixes) {
      const id = details.caller ?? "";
      const caller = callers.get(id) ?? { id, name: who, track: [] };
      caller.fix = { lat: details.lat, lon: details.lon, accuracy: details.accuracy, fixedAt: new Date(this.#archive.wallTime(at)).toISOString() };
      caller.track.push(caller.fix);
      if (caller.track.length > maximumTrack) caller.track.shift();
      callers.set(id, caller);
    }
    return { callers, units: new Map(), place: undefined };
  }
}
