/**
 * What the service has on the slots of one media session, how much of it, and how large a picture it need be.
 * @module
 */

import { authorization } from "./access.js";
import { limitFor } from "./fitting.js";

/** Milliseconds that a picture has been smaller before less of it is asked for; more is asked for at once. */
const patience = 2000;

/** One session's slots at the service. */
export class SlotService {
  #address;
  #token;
  #slots;
  /** What was asked for, by mid; forgotten with the session. @type {Map<string, {limit?: number, smallerSince?: number}>} */
  #limits = new Map();
  #limitsOf;

  /**
   * @param {() => string | undefined} address of the session; nothing while there is none
   * @param {string} token
   * @param {import("./slot.js").Slot[]} slots
   */
  constructor(address, token, slots) {
    [this.#address, this.#token, this.#slots] = [address, token, slots];
  }

  /**
   * Asks what is on the slots, and tells each.
   * @returns {Promise<Record<string, import("./quality.js").View> | undefined>} by mid; nothing when there was no answer
   */
  async read() {
    const address = this.#address();
    if (!address) return undefined;
    const response = await fetch(`${address}/slots`, { headers: authorization(this.#token), cache: "no-store" }).catch(() => undefined);
    if (!response?.ok || this.#address() !== address) return undefined;
    const { slots: views } = await response.json();
    for (const slot of this.#slots) slot.view = views[slot.mids.video];
    return views;
  }

  /** Takes in news of one of our slots. @param {import("./quality.js").View & {slot: string, media: "audio" | "video"}} news */
  take({ slot: mid, source, media: kind, shows, layer, reason, linkBitsPerSecond }) {
    const slot = this.#slots.find(({ mids }) => mids.video === mid);
    if (slot) slot.view = { source, kind, shows, layer, reason, linkBitsPerSecond };
  }

  /**
   * Changes a slot.
   * @param {string} mid
   * @param {{source?: string, height?: number | null}} wish as the service's interface has it
   */
  put(mid, wish) {
    const headers = { ...authorization(this.#token), "Content-Type": "application/json" };
    return fetch(`${this.#address()}/slots/${mid}`, { method: "PUT", headers, body: JSON.stringify(wish) }).catch(() => undefined);
  }

  /**
   * Asks for no more of each picture than the screen shows.
   * @param {Map<string, import("./events.js").Source>} sources of the incident, by their ids
   */
  fit(sources) {
    const address = this.#address();
    if (this.#limitsOf !== address) this.#limits.clear();
    this.#limitsOf = address;
    if (!address) return;
    for (const slot of this.#slots) this.#fitOne(slot, sources.get(slot.view?.source)?.layers ?? []);
  }

  #fitOne(slot, layers) {
    const { video: mid } = slot.mids;
    const lines = slot.linesOnScreen;
    // What is not on the screen at the moment may be in the next.
    if (!mid || lines === undefined) return;
    const before = this.#limits.get(mid) ?? {};
    const limit = limitFor(lines, layers.map(({ height }) => height), before.limit);
    if (limit === before.limit) return this.#limits.set(mid, { limit });
    const isLess = limit !== undefined && limit < (before.limit ?? Infinity);
    const smallerSince = before.smallerSince ?? performance.now();
    if (isLess && performance.now() - smallerSince < patience) return this.#limits.set(mid, { ...before, smallerSince });
    this.#limits.set(mid, { limit });
    // A refusal or a line that is down costs nothing but bits: the next change asks again.
    this.put(mid, { height: limit ?? null });
  }
}
