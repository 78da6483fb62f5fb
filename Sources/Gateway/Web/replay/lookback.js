/**
 * Looking back in a call that goes on: plays what was recorded over the live picture, which keeps running underneath.
 * @module
 */

import { Archive, openLook } from "./archive.js";
import { Player } from "./player.js";
import { replay as words } from "../shared/words.js";

/** Seconds of one step back. */
export const step = 30;
/** Streams that ended longer than this before where somebody looks are left alone, seconds. */
const reach = 60;
const maximumPictures = 4;

/** Dispatches `change` when it begins, ends, or shows something else. */
export class LookBack extends EventTarget {
  /** Why looking back is not possible, in words; empty as long as it is. */
  problem = "";

  #access;
  #stage;
  #layer;
  /** @type {Archive | undefined} */
  #archive;
  /** @type {Player | undefined} */
  #player;
  #videos = new Map();
  #sounds = new Map();
  #isMuted = true;
  #main = 0;
  #opening;

  /**
   * @param {import("../shared/access.js").Access} access
   * @param {HTMLElement} stage where the live picture is
   */
  constructor(access, stage) {
    super();
    this.#access = access;
    this.#stage = stage;
  }

  get isActive() {
    return this.#player !== undefined || this.#opening !== undefined;
  }

  /** Seconds behind now. */
  get behind() {
    return this.#player ? Math.max(0, this.#archive.edge - this.#player.position) : 0;
  }

  /** Seconds from the epoch, for tests. */
  get position() {
    return this.#player?.position;
  }

  /** What to say over the picture. @param {string} hidden what stands there when pictures are hidden */
  cover(hidden) {
    if (!this.#player) return words.loadingBack;
    const tracks = this.#tracks("video");
    const { position } = this.#player;
    if (tracks.some((track) => track.covering(position) !== undefined || this.#archive.isAtEdge(track, position))) return hidden;
    const hole = tracks[0]?.holeAt(position);
    return hole ? words.hole(hole) : words.notYet;
  }

  /**
   * Goes 30 seconds back, or as far as there is something; again: further.
   * @param {{isMuted: boolean, main: number}} wish whether there is sound, and which caller's picture comes first
   */
  async back({ isMuted, main }) {
    this.#isMuted = isMuted;
    this.#main = main;
    if (this.#player) return this.#player.seek(this.#player.position - step);
    if (this.#opening) return undefined;
    this.problem = "";
    const opening = this.#open();
    this.#opening = opening;
    this.#changed();
    try {
      await opening;
    } catch (error) {
      if (this.#opening === opening) this.#end(error.message);
    }
    return undefined;
  }

  async #open() {
    const { incident, token } = this.#access;
    const archive = new Archive(incident, token, await openLook(incident, token, { live: true }));
    this.#archive = archive;
    archive.addEventListener("change", () => this.#addStreams());
    archive.addEventListener("ended", ({ detail }) => this.#end(detail.message));
    await archive.open();
    // Somebody may have gone back to live meanwhile.
    if (this.#archive !== archive) return archive.close();
    if (archive.tracks.every((track) => track.fragments.length === 0)) return this.#end(words.notYet);
    this.#layer = Object.assign(document.createElement("div"), { className: "look-back" });
    this.#player = new Player(archive);
    this.#player.addEventListener("tick", () => this.#show());
    this.#opening = undefined;
    this.#player.seek(archive.edge - step);
    this.#addStreams();
    this.#player.play();
    this.#stage.querySelector("video").after(this.#layer);
    this.#changed();
    return undefined;
  }

  /** Streams that have something for where somebody looks, the wanted caller's first. */
  #tracks(kind) {
    const from = (this.#player?.position ?? this.#archive.edge) - reach;
    const tracks = this.#archive.tracks.filter((track) => track.kind === kind && track.end > from)
      .sort((one, other) => one.start - other.start);
    const [main] = kind === "video" ? tracks.splice(this.#main, 1) : [];
    return main ? [main, ...tracks] : tracks;
  }

  #addStreams() {
    if (!this.#player) return;
    for (const track of this.#tracks("video")) {
      if (this.#videos.has(track.id) || this.#videos.size >= maximumPictures) continue;
      const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
      video.setAttribute("aria-label", this.#archive.nameOf(track));
      this.#videos.set(track.id, video);
      this.#layer.append(video);
      this.#player.add(track, video);
    }
    for (const track of this.#tracks("audio")) {
      if (this.#sounds.has(track.id) || this.#sounds.size >= maximumPictures) continue;
      const audio = Object.assign(new Audio(), { muted: this.#isMuted });
      this.#sounds.set(track.id, audio);
      this.#player.add(track, audio);
    }
  }

  /** Of several pictures the first that has something is on top. */
  #show() {
    if (!this.#player) return;
    const shown = this.#tracks("video").find((track) => track.covering(this.#player.position) !== undefined);
    for (const [id, video] of this.#videos) {
      const isShown = id === shown?.id && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
      video.toggleAttribute("data-shown", isShown);
    }
    // Who has caught up is live again.
    if (this.behind < 0.5 && this.#player.isPlaying) this.live();
    this.dispatchEvent(new Event("tick"));
  }

  /** @param {boolean} isMuted */
  mute(isMuted) {
    this.#isMuted = isMuted;
    for (const audio of this.#sounds.values()) audio.muted = isMuted;
  }

  /** Back to now, at once: the live picture has been there all the time. */
  live() {
    this.#end("");
  }

  #end(problem) {
    this.problem = problem;
    this.#opening = undefined;
    this.#layer?.remove();
    this.#player?.close();
    this.#archive?.close();
    this.#player = this.#archive = this.#layer = undefined;
    this.#videos.clear();
    this.#sounds.clear();
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
