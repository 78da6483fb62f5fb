/**
 * Strips of small pictures below the results, for those who say why: each incident's journal keeps the look, as it does a
 * replay. Pictures are blurred until the pointer or the focus is on them.
 * @module
 */

import { build, setText } from "../shared/dom.js";

/** Pictures of one result, at these parts of the recording. */
const moments = [0.05, 0.35, 0.65, 0.95];
/** Results whose pictures are fetched at a time. */
const maximumRunning = 2;

/** Dispatches `change` when somebody has said why. */
export class Strips extends EventTarget {
  /** How many strips are shown. */
  shown = 0;
  #session;
  #reason = "";
  #waiting = [];
  #running = 0;
  #watcher;

  /** @param {import("../shared/session.js").Session} session @param {Element} root what scrolls */
  constructor(session, root) {
    super();
    this.#session = session;
    this.#watcher = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) if (isIntersecting) this.#want(target);
    }, { root });
  }

  get isOn() {
    return this.#reason !== "";
  }

  /** Has a result's pictures shown once it is in sight. @param {HTMLElement} item with the incident's number */
  watch(item) {
    if (this.isOn) this.#watcher.observe(item);
  }

  /** Asks why, then shows the pictures of all results that are in sight. */
  ask() {
    const reason = build("textarea", { id: "strips-reason", rows: 2, required: true, minlength: 3, maxlength: 500 });
    const dialog = build(
      "dialog", { "aria-labelledby": "strips-title", onclose: () => dialog.remove() },
      build("h2", { id: "strips-title" }, "Why do you look?"),
      build("form", { class: "form", onsubmit: (event) => {
        event.preventDefault();
        this.#begin(reason.value.trim());
        dialog.close();
      } },
        build("p", {}, "Your name and your reason are kept in each incident whose pictures you see here."),
        build("label", { for: "strips-reason" }, "Reason"), reason,
        build("div", { class: "row" }, build("button", { class: "primary" }, "Show pictures"),
          build("button", { type: "button", onclick: () => dialog.close() }, "Not now"))));
    document.body.append(dialog);
    dialog.showModal();
  }

  #begin(reason) {
    this.#reason = reason;
    this.dispatchEvent(new Event("change"));
    for (const item of document.querySelectorAll("[data-pictures]")) this.#watcher.observe(item);
  }

  #want(item) {
    this.#watcher.unobserve(item);
    this.#waiting.push(item);
    this.#pump();
  }

  #pump() {
    while (this.#running < maximumRunning && this.#waiting.length > 0) this.#fill(this.#waiting.shift());
  }

  async #fill(item) {
    if (!item.isConnected) return;
    this.#running += 1;
    const strip = build("div", { class: "strip", role: "group", tabindex: "0", "aria-label": `Pictures of ${item.dataset.pictures}` }, build("span", { class: "strip-note" }, "Loading pictures"));
    item.append(strip);
    try {
      const pictures = await this.#pictures(item.dataset.pictures);
      if (pictures.length === 0) setText(strip.firstChild, "No picture is recorded");
      else {
        strip.replaceChildren(...pictures);
        this.shown += 1;
      }
    } catch (error) {
      setText(strip.firstChild, error.message);
    }
    this.#running -= 1;
    this.#pump();
  }

  async #pictures(incident) {
    const path = `/api/v1/incidents/${encodeURIComponent(incident)}/replays`;
    const { replay } = await this.#session.post(path, { reason: this.#reason });
    const look = `${path}/${encodeURIComponent(replay)}`;
    const { tracks, epochMicroseconds } = await this.#session.get(`${look}/playlist.json`);
    const track = tracks.find(({ kind, segments }) => kind === "video" && segments.some(({ fragments }) => fragments.length > 0));
    if (!track) return [];
    const fragments = track.segments.flatMap((segment) => segment.fragments);
    const [first, last] = [fragments[0], fragments.at(-1)];
    const [start, end] = [first[2], last[2] + last[3]];
    return Promise.all(moments.map(async (share) => {
      const at = new Date((epochMicroseconds + start + share * (end - start)) / 1000);
      const blob = await this.#session.request("GET", `${look}/thumbnails/${encodeURIComponent(track.id)}`, { query: { at: at.toISOString() }, as: "blob" });
      const image = build("img", { alt: "" });
      image.src = URL.createObjectURL(blob);
      image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
      return image;
    }));
  }
}
