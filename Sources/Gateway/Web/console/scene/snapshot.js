/**
 * A still of the stream, kept in full resolution by the service: asked for here, and shown small with the way to its file.
 * @module
 */

import { build, setState, setText } from "../../shared/dom.js";
import { timeOfDay } from "../../shared/times.js";
import { tool } from "./controls.js";

/** Pixels of the small picture's width: clear, and while the pictures are hidden. */
const [clearWidth, veilWidth] = [144, 8];

export class Snapshot {
  element;
  /** The last one that was kept. @type {{file: string, width: number, height: number} | undefined} */
  last;

  #button;
  #thumbnail = build("canvas", { class: "snapshot-thumbnail", hidden: true, "aria-hidden": "true" });
  #words = build("small", { role: "status" });
  #link = build("a", { hidden: true, download: "snapshot.jpg" }, "Open file");
  #session;
  #context;
  #url;
  #isBusy = false;

  /** @param {import("../../shared/session.js").Session} session */
  constructor(session) {
    this.#session = session;
    this.#button = tool({ symbol: "camera", words: "Snapshot", key: "X", run: () => this.take() });
    this.element = build("div", { class: "snapshot" }, this.#button, this.#thumbnail, build("span", { class: "snapshot-words" }, this.#words, this.#link));
  }

  /** @param {{incident: string, source: () => string | undefined, isClear: () => boolean}} context */
  open(context) {
    this.#context = context;
  }

  close() {
    this.#context = undefined;
    this.last = undefined;
    this.#forget();
    setText(this.#words, "");
  }

  #forget() {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = undefined;
    this.#link.hidden = this.#thumbnail.hidden = true;
  }

  async take() {
    const context = this.#context;
    if (!context || this.#button.disabled) return;
    this.#isBusy = this.#button.disabled = true;
    setText(this.#words, "Keeping a picture");
    setState(this.#words, "data-bad", false);
    try {
      const source = context.source();
      const path = `/api/v1/incidents/${encodeURIComponent(context.incident)}`;
      const kept = await this.#session.post(`${path}/snapshots`, source ? { source } : {});
      const blob = await this.#session.request("GET", `${path}/files/${kept.file}`, { as: "blob" });
      if (context === this.#context) await this.#show(kept, blob, context);
    } catch (error) {
      if (context !== this.#context) return;
      setText(this.#words, `Not kept: ${error.message}`);
      setState(this.#words, "data-bad", true);
    } finally {
      this.#isBusy = this.#button.disabled = false;
    }
  }

  async #show(kept, blob, { isClear }) {
    this.#forget();
    this.last = kept;
    this.#url = URL.createObjectURL(blob);
    this.#link.href = this.#url;
    this.#link.download = `snapshot-${kept.time.slice(0, 19).replaceAll(":", "")}.jpg`;
    this.#link.hidden = false;
    setText(this.#words, `Saved ${timeOfDay(kept.time)}, ${kept.width}×${kept.height}`);
    const bitmap = await createImageBitmap(blob);
    const width = isClear() ? clearWidth : veilWidth;
    this.#thumbnail.width = width;
    this.#thumbnail.height = Math.max(1, Math.round((width * bitmap.height) / bitmap.width));
    this.#thumbnail.getContext("2d").drawImage(bitmap, 0, 0, width, this.#thumbnail.height);
    setState(this.#thumbnail, "data-hidden", !isClear());
    this.#thumbnail.hidden = false;
    bitmap.close();
  }

  /** @param {boolean} isPossible */
  render(isPossible) {
    if (!this.#isBusy && this.#button.disabled === isPossible) this.#button.disabled = !isPossible;
  }
}
