/**
 * Plays any number of recorded streams on one clock: the clock leads, every element is held to it.
 * @module
 */

import { MediaTrack } from "./mediatrack.js";

/** Milliseconds between two looks at where everybody is. */
const tickInterval = 40;
/** Seconds that an element may be off before it is sped up or slowed down, and before it is sent to its place. */
const nudgeFrom = 0.008;
const jumpFrom = 0.3;
/** How much of the speed an element that is off is nudged by, per second that it is off, and at most. */
const nudgeGain = 3;
const maximumNudge = 0.2;
/** Seconds that everybody waits for one who has no data. */
const patience = 8;
/** Speeds faster than this have no sound. */
const maximumSoundRate = 2;

/** @typedef {{track: MediaTrack, sentAt: number}} Part */

/**
 * Dispatches `tick` many times a second, `change` when it begins, stops, waits or jumps, and `problem` when it turns out that
 * something recorded cannot be played.
 */
export class Player extends EventTarget {
  #archive;
  /** @type {Part[]} */
  #parts = [];
  #position = 0;
  #isPlaying = false;
  #rate = 1;
  #lastTick = performance.now();
  #waitingSince;
  #timer;
  /** When the last jump began, and how long it took until everybody was there, milliseconds. */
  #jumpedAt = performance.now();
  #jumpTook;

  /** @param {import("./archive.js").Archive} archive */
  constructor(archive) {
    super();
    this.#archive = archive;
    this.#timer = setInterval(() => this.#tick(), tickInterval);
  }

  /** Plays a stream in an element from now on. */
  add(track, element) {
    const part = { track: new MediaTrack(this.#archive, track, element), sentAt: -Infinity };
    this.#parts.push(part);
    part.track.addEventListener("problem", () => this.dispatchEvent(new Event("problem")));
    part.track.seek(this.#position, this.#rate, true);
    return part.track;
  }

  close() {
    clearInterval(this.#timer);
    for (const { track } of this.#parts) track.close();
    this.#parts = [];
  }

  // MARK: Steering

  /** Seconds from the epoch, now. */
  get position() {
    if (!this.#isPlaying || this.isWaiting) return this.#position;
    const elapsed = (performance.now() - this.#lastTick) / 1000;
    return Math.min(this.#archive.span.end, this.#position + elapsed * this.#rate);
  }

  get isPlaying() {
    return this.#isPlaying;
  }

  get rate() {
    return this.#rate;
  }

  /** Whether the clock stands because somebody has no data yet. */
  get isWaiting() {
    return this.#waitingSince !== undefined;
  }

  /** Milliseconds from the last jump until all pictures were there; undefined while they are not. */
  get jumpTook() {
    return this.#jumpTook;
  }

  /** How far each element is off, seconds, by the names of the tracks; of those that have something to play. */
  get drifts() {
    const playing = this.#parts.filter(({ track }) => track.track.covering(this.#position) !== undefined);
    return Object.fromEntries(playing.map(({ track }) => [track.track.id, track.element.currentTime - this.position]));
  }

  /** Bytes fetched since the beginning. */
  get fetched() {
    return this.#parts.reduce((sum, { track }) => sum + track.fetched, 0);
  }

  play() {
    const { end } = this.#archive.span;
    if (!this.#archive.isGrowing && this.#position >= end - 0.05) this.seek(this.#archive.span.start);
    this.#isPlaying = true;
    this.#changed();
  }

  pause() {
    this.#isPlaying = false;
    this.#changed();
  }

  set rate(rate) {
    this.#rate = rate;
    this.#changed();
  }

  /** Jumps to so many seconds from the epoch. */
  seek(seconds) {
    const { start, end } = this.#archive.span;
    this.#position = Math.min(Math.max(seconds, start), Math.max(start, end));
    this.#jumpedAt = performance.now();
    this.#jumpTook = undefined;
    this.#waitingSince = undefined;
    for (const part of this.#parts) {
      part.sentAt = -Infinity;
      part.track.seek(this.#position, this.#rate, true);
    }
    this.#tick();
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  // MARK: The clock

  #tick() {
    const now = performance.now();
    const elapsed = (now - this.#lastTick) / 1000;
    this.#lastTick = now;
    const missing = this.#parts.filter((part) => !this.#isReady(part));
    this.#noteJump(missing, now);
    this.#wait(missing, now);
    if (this.#isPlaying && !this.isWaiting) this.#advance(elapsed);
    for (const part of this.#parts) this.#hold(part, now);
    this.dispatchEvent(new Event("tick"));
  }

  #advance(elapsed) {
    const { end } = this.#archive.span;
    this.#position = Math.min(end, this.#position + elapsed * this.#rate);
    if (this.#position >= end && !this.#archive.isGrowing) this.pause();
  }

  #noteJump(missing, now) {
    if (this.#jumpTook !== undefined || missing.length > 0) return;
    this.#jumpTook = now - this.#jumpedAt;
  }

  /** Everybody waits for those who have no data, but not for ever. */
  #wait(missing, now) {
    const wasWaiting = this.isWaiting;
    if (missing.length === 0) this.#waitingSince = undefined;
    else this.#waitingSince ??= now;
    if (this.isWaiting && now - this.#waitingSince > patience * 1000) this.#waitingSince = undefined;
    if (wasWaiting !== this.isWaiting) this.#changed();
  }

  /** Whether an element shows, or can show, the moment that it is. */
  #isReady({ track }) {
    if (track.problem || track.track.covering(this.#position) === undefined) return true;
    const { element } = track;
    if (track.landing(this.#position) === undefined) return false;
    const isThere = !element.seeking && Math.abs(element.currentTime - this.#position) < jumpFrom * Math.max(1, this.#rate);
    return isThere && element.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
  }

  /** Keeps one element on the clock. */
  #hold(part, now) {
    const { track } = part;
    const { element } = track;
    track.seek(this.#position, this.#rate, false);
    const isCovered = track.track.covering(this.#position) !== undefined;
    const isShown = isCovered || this.#archive.isAtEdge(track.track, this.#position);
    element.dataset.covered = isShown ? "yes" : "no";
    if (!isCovered) {
      element.pause();
      return this.#prepare(part, now);
    }
    const landing = track.landing(this.#position);
    if (landing === undefined) return element.pause();
    this.#steer(part, landing, now);
    const isRunning = this.#isPlaying && !this.isWaiting;
    if (isRunning && element.paused) element.play().catch(() => {});
    if (!isRunning && !element.paused) element.pause();
  }

  /** In a hole an element waits at the beginning of what comes next. */
  #prepare(part, now) {
    const { track } = part;
    const next = track.track.fragments[track.track.indexAt(this.#position) + 1];
    if (!next || next.segment.problem || next.start - this.#position > 2) return;
    const landing = track.landing(next.start);
    if (landing !== undefined && Math.abs(track.element.currentTime - landing) > 0.02) this.#send(part, landing, now);
  }

  #steer(part, landing, now) {
    const { element } = part.track;
    if (element.seeking) return;
    const drift = element.currentTime - landing;
    const limit = this.#isPlaying ? jumpFrom * Math.max(1, this.#rate) : 0.02;
    if (Math.abs(drift) > limit) return this.#send(part, landing, now);
    const nudge = Math.abs(drift) < nudgeFrom ? 0 : Math.max(-maximumNudge, Math.min(maximumNudge, -drift * nudgeGain));
    const rate = this.#rate * (1 + nudge);
    if (Math.abs(element.playbackRate - rate) > 0.001) element.playbackRate = rate;
  }

  #send(part, landing, now) {
    const { element } = part.track;
    if (element.seeking || now - part.sentAt < 150) return;
    part.sentAt = now;
    element.currentTime = landing;
  }
}

/** Whether a speed has sound. @param {number} rate */
export function hasSound(rate) {
  return rate <= maximumSoundRate;
}
