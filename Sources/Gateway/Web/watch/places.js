/**
 * Where callers are, as the metadata channel tells it.
 * @module
 */

/** Seconds after which a place counts as old. */
const staleAfter = 30;
/** Marks of a fix that cannot be right. */
const wrong = ["impossible", "fromTheFuture"];

/** Keeps the newest place of any caller. */
export class Places {
  /** @type {{caller: string, lat: number, lon: number, accuracy?: number, fixedAt: string} | undefined} */
  fix;

  /** @param {import("../shared/metadata.js").MetadataChannel} metadata */
  constructor(metadata) {
    metadata.addEventListener("subscribed", ({ detail: snapshot }) => {
      for (const { id, location } of snapshot?.callers ?? []) if (location) this.#take({ caller: id, ...location });
    });
    metadata.on("location", ({ payload }) => this.#take(payload));
  }

  /** Seconds since it was measured, by this device's clock. */
  get age() {
    return this.fix ? Math.max(0, (Date.now() - Date.parse(this.fix.fixedAt)) / 1000) : Infinity;
  }

  get isStale() {
    return this.age > staleAfter;
  }

  #take(fix) {
    const isRight = Number.isFinite(fix.lat) && Number.isFinite(fix.lon) && !fix.marks?.some((mark) => wrong.includes(mark));
    if (!isRight || Date.parse(fix.fixedAt) < Date.parse(this.fix?.fixedAt ?? 0)) return;
    this.fix = fix;
  }
}
