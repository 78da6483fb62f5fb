/**
 * How one looks at the pictures: whose are clear, whether in grey, as stills, with sound. Seeing is a choice, so a new
 * picture is hidden until its person is revealed, and the journal is told of it.
 * @module
 */

const storageKey = "sightline.scene.looks";

/** Dispatches `change`. */
export class Looks extends EventTarget {
  isMonochrome = false;
  isStills = false;
  isSoundOn = true;

  /** Whose pictures are clear, each with the stream that was told of. @type {Map<string, string>} */
  #clear = new Map();
  #channel;

  constructor() {
    super();
    const kept = read();
    for (const name of ["isMonochrome", "isStills", "isSoundOn"]) this[name] = kept[name] ?? this[name];
  }

  /** @param {import("../../shared/metadata.js").MetadataChannel} channel of the incident that is looked at */
  open(channel) {
    this.#channel = channel;
  }

  /** Nothing is looked at any more. */
  close() {
    for (const actor of [...this.#clear.keys()]) this.reveal(false, actor);
    this.#channel = undefined;
  }

  /** @param {string | undefined} actor whose picture it is; one that nobody knows of stays hidden */
  isClear(actor) {
    return actor !== undefined && this.#clear.has(actor);
  }

  /** Names of those whose pictures are clear. */
  get clear() {
    return [...this.#clear.keys()];
  }

  /**
   * Shows somebody's pictures clear, or hides them; the picture does not wait for the journal.
   * @param {boolean} on
   * @param {string} actor
   * @param {string} [source] the stream
   */
  async reveal(on, actor, source = this.#clear.get(actor)) {
    if (on === this.isClear(actor)) return;
    if (on) this.#clear.set(actor, source);
    else this.#clear.delete(actor);
    this.dispatchEvent(new Event("change"));
    try {
      await this.#channel?.send("media.revealed", { on, ...(source && { source }) });
    } catch (error) {
      this.dispatchEvent(new CustomEvent("problem", { detail: error.message }));
    }
  }

  /** @param {"isMonochrome" | "isStills" | "isSoundOn"} name */
  toggle(name) {
    this[name] = !this[name];
    const { isMonochrome, isStills, isSoundOn } = this;
    try {
      localStorage.setItem(storageKey, JSON.stringify({ isMonochrome, isStills, isSoundOn }));
    } catch {
      // A private window may refuse to store; the choice then lasts as long as the page.
    }
    this.dispatchEvent(new Event("change"));
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(storageKey)) ?? {};
  } catch {
    return {};
  }
}
