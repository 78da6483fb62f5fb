/**
 * Recorded pictures side by side, each with words where there is none, and the recorded sound.
 * @module
 */

import { hasSound } from "./player.js";
import { replay as words } from "../shared/words.js";

/** Pictures at a time; further streams are in the timeline only. */
const maximumPictures = 9;
const maximumSounds = 8;

export class PictureWall {
  #list;
  #archive;
  #player;
  /** @type {Map<string, {item: HTMLElement, video: HTMLVideoElement, name: HTMLElement, cover: HTMLElement}>} */
  #pictures = new Map();
  /** @type {Map<string, HTMLAudioElement>} */
  #sounds = new Map();
  #isLoud = true;

  /**
   * @param {HTMLElement} list
   * @param {import("./archive.js").Archive} archive
   * @param {import("./player.js").Player} player
   */
  constructor(list, archive, player) {
    this.#list = list;
    this.#archive = archive;
    this.#player = player;
  }

  /** Takes in streams that are new. */
  update() {
    const tracks = this.#archive.tracks.filter((track) => track.fragments.length > 0);
    for (const track of tracks) {
      if (track.kind === "video" && !this.#pictures.has(track.id)) this.#addPicture(track);
      if (track.kind === "audio" && !this.#sounds.has(track.id)) this.#addSound(track);
    }
    for (const [id, { video, name }] of this.#pictures) {
      name.textContent = this.#archive.nameOf(this.#archive.track(id));
      video.setAttribute("aria-label", name.textContent);
    }
    const count = Math.max(1, this.#pictures.size);
    this.#list.style.setProperty("--columns", String(Math.ceil(Math.sqrt(count))));
    this.#list.toggleAttribute("data-empty", this.#pictures.size === 0);
  }

  #addPicture(track) {
    if (this.#pictures.size >= maximumPictures) return;
    const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    video.dataset.track = track.id;
    const name = Object.assign(document.createElement("span"), { className: "name", title: track.id });
    const cover = Object.assign(document.createElement("p"), { className: "cover figures" });
    const item = Object.assign(document.createElement("li"), { className: "picture" });
    item.append(video, name, cover);
    this.#list.append(item);
    this.#pictures.set(track.id, { item, video, name, cover });
    this.#player.add(track, video);
  }

  #addSound(track) {
    if (this.#sounds.size >= maximumSounds) return;
    const audio = new Audio();
    audio.dataset.track = track.id;
    this.#sounds.set(track.id, audio);
    this.#player.add(track, audio);
    this.setSound(this.#isLoud);
  }

  /** @param {boolean} isLoud */
  setSound(isLoud) {
    this.#isLoud = isLoud;
    for (const audio of this.#sounds.values()) audio.muted = !isLoud || !hasSound(this.#player.rate);
  }

  /** Says in words where there is no picture. @param {number} position @param {boolean} isHidden */
  show(position, isHidden) {
    this.setSound(this.#isLoud);
    for (const [id, { cover, item, video }] of this.#pictures) {
      const track = this.#archive.track(id);
      const hole = this.#archive.isAtEdge(track, position) ? undefined : track.holeAt(position);
      const text = hole ? words.hole(hole) : isHidden ? words.hidden : "";
      if (cover.textContent !== text) cover.textContent = text;
      item.dataset.hole = hole ? hole.reason : "";
      const rotation = turn(track, position);
      if (video.dataset.turn !== rotation) video.dataset.turn = rotation;
    }
  }

  /** What each picture shows, for tests. */
  get states() {
    return [...this.#pictures].map(([id, { item, video, cover }]) => ({
      id, hole: item.dataset.hole, cover: cover.textContent, time: video.currentTime, readyState: video.readyState,
      width: video.videoWidth, isCovered: video.dataset.covered === "yes",
    }));
  }
}

/** How the picture has to be turned by us, degrees clockwise: MP4 says so itself, WebM has no word for it. */
function turn(track, position) {
  const { segment } = track.fragments[Math.max(0, track.indexAt(position))];
  return segment.mime.startsWith("video/webm") ? String(segment.rotation) : "0";
}
