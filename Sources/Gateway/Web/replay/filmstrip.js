/**
 * A strip of small pictures over the timeline: what a recording shows, at a glance.
 *
 * Pictures are asked for one after the other, so that they never hold up what is being played, and again when the
 * recording has grown by a picture's worth. They stay blurred as long as the large ones do.
 * @module
 */

/** Pictures of a strip at most. */
const maximumPictures = 24;
/** Seconds that one picture stands for at least. */
const leastStep = 2;

export class Filmstrip {
  #element;
  #load;
  #step = 0;
  #count = 0;
  #isLoading = false;

  /**
   * @param {HTMLElement} element where the pictures go
   * @param {(track: string, seconds: number) => Promise<Blob | undefined>} load gives a picture of a track, seconds after
   *   the epoch; nothing where there is none
   */
  constructor(element, load) {
    this.#element = element;
    this.#load = load;
  }

  /**
   * Shows the pictures of a track from `start` to `end`, in seconds after the epoch.
   * @param {string | undefined} track
   * @param {{start: number, end: number}} span
   */
  async update(track, { start, end }) {
    const length = end - start;
    if (!track || length < leastStep || this.#isLoading) return;
    const step = Math.max(leastStep, length / maximumPictures);
    const count = Math.min(maximumPictures, Math.floor(length / step));
    // A strip that still fits is left alone: pictures that jump about are worse than one that is missing.
    if (count === this.#count && step < this.#step * 1.25) return;
    [this.#step, this.#count, this.#isLoading] = [step, count, true];
    try {
      this.#show(await this.#collect(track, start, step, count));
    } finally {
      this.#isLoading = false;
    }
  }

  async #collect(track, start, step, count) {
    const pictures = [];
    for (let place = 0; place < count; place += 1) {
      pictures.push(await this.#load(track, start + (place + 0.5) * step).catch(() => undefined));
    }
    return pictures;
  }

  #show(pictures) {
    for (const image of this.#element.children) URL.revokeObjectURL(image.src);
    this.#element.replaceChildren(
      ...pictures.map((blob) => {
        // The large pictures and the list of events say what these show.
        const image = Object.assign(document.createElement(blob ? "img" : "span"), { alt: "" });
        if (blob) image.src = URL.createObjectURL(blob);
        return image;
      }));
    this.#element.hidden = pictures.every((blob) => !blob);
  }
}
