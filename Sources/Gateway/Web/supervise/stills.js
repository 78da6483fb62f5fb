/**
 * Small pictures of incidents, fetched again and again, a few at a time, and only those that are in sight.
 * @module
 */

import { ServiceError } from "../shared/session.js";

/** Milliseconds between two pictures of one incident. */
const refresh = 4000;
/** Requests at a time: a wall must not crowd out what is live. */
const maximumRunning = 4;
/** Milliseconds between two looks at which pictures are due. */
const tick = 400;

/**
 * @typedef {{address: string, takenAt: number} | {problem: string}} Still `takenAt` in milliseconds since 1970
 */

/** Dispatches `still` with the incident's number as `detail` when there is a new picture, or none. */
export class Stills extends EventTarget {
  /** @type {Map<string, Still>} */
  pictures = new Map();
  #session;
  /** @type {Map<string, number>} when each is due */
  #due = new Map();
  #running = new Set();
  #timer;

  /** @param {import("../shared/session.js").Session} session */
  constructor(session) {
    super();
    this.#session = session;
    this.#timer = setInterval(() => this.#pump(), tick);
  }

  /** Fetches pictures of these incidents from now on, and of no others. @param {string[]} incidents */
  follow(incidents) {
    const wanted = new Set(incidents);
    for (const id of [...this.#due.keys()]) if (!wanted.has(id)) this.#due.delete(id);
    for (const id of wanted) if (!this.#due.has(id)) this.#due.set(id, 0);
    this.#pump();
  }

  /** Lets go of the picture of an incident that is gone. @param {string} incident */
  forget(incident) {
    this.#put(incident, undefined);
    this.#due.delete(incident);
  }

  close() {
    clearInterval(this.#timer);
    for (const id of [...this.pictures.keys()]) this.forget(id);
  }

  #pump() {
    if (document.hidden) return;
    const now = performance.now();
    const due = [...this.#due].filter(([id, at]) => at <= now && !this.#running.has(id)).sort((a, b) => a[1] - b[1]);
    for (const [id] of due.slice(0, maximumRunning - this.#running.size)) this.#fetch(id);
  }

  async #fetch(id) {
    this.#running.add(id);
    try {
      const response = await this.#session.request("GET", `/api/v1/incidents/${encodeURIComponent(id)}/still`, { as: "response" });
      if (response.status === 204) throw new ServiceError(404, "No picture yet");
      const takenAt = Date.parse(response.headers.get("Sightline-Picture-Time"));
      this.#put(id, { address: URL.createObjectURL(await response.blob()), takenAt });
    } catch (error) {
      // The last picture stays while the service cannot be reached: its age says so.
      const isGone = error instanceof ServiceError && [403, 404].includes(error.status);
      if (isGone || !this.pictures.has(id)) this.#put(id, { problem: error.message });
    }
    this.#running.delete(id);
    if (this.#due.has(id)) this.#due.set(id, performance.now() + refresh);
    this.dispatchEvent(new CustomEvent("still", { detail: id }));
    this.#pump();
  }

  #put(id, still) {
    const before = this.pictures.get(id);
    if (still) this.pictures.set(id, still);
    else this.pictures.delete(id);
    // The picture may still be on its way into the page.
    if (before?.address) setTimeout(() => URL.revokeObjectURL(before.address), 1000);
  }
}
