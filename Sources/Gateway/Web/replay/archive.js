/**
 * An incident's archive as the service gives it: a look is opened, then asked for what is recorded, what happened, and
 * for the bytes. Times are seconds from the incident's epoch, which is when it was opened.
 * @module
 */

import { authorization } from "../shared/access.js";
import { replay as words } from "../shared/words.js";

/** Milliseconds between two questions for news of a recording that goes on. */
const pollInterval = 1000;
/** Milliseconds after which a question that failed is asked again. */
const retryInterval = 2000;
/** Seconds behind the end of a stream that grows in which its next fragment may still be on its way. */
const edge = 3;
/** Seconds between two fragments up to which nothing is missing: a frame's time is not exact to the last digit. */
const smallestGap = 0.15;

/** A refusal of the service, with its words and its code. */
export class ArchiveError extends Error {
  /** @param {string} text @param {number} status the HTTP status; 0 when no answer came @param {string} [code] */
  constructor(text, status, code) {
    super(text);
    this.status = status;
    this.code = code;
  }

  /** Asking again would bring the same answer. */
  get isFinal() {
    return this.status >= 400 && this.status < 500 && this.status !== 429;
  }
}

/**
 * @typedef {{segment: Segment, offset: number, length: number, start: number, end: number, isKey: boolean}} Fragment
 * @typedef {{name: string, mime: string, codec: string, header: number, start: number, width: number, height: number,
 *   rotation: number, problem?: string}} Segment
 * @typedef {{start: number, end: number, reason: string}} Hole
 */

/** One recorded stream: its fragments in order of time, and where there are none. */
export class RecordedTrack {
  /** @type {Fragment[]} */
  fragments = [];
  /** @type {Hole[]} */
  gaps = [];
  /** @type {Map<string, Segment>} */
  #segments = new Map();

  /** @param {{id: string, kind: "audio" | "video", peer: string, source: string}} facts */
  constructor({ id, kind, peer, source }) {
    Object.assign(this, { id, kind, peer, source });
  }

  /** Takes in a part of the playlist. */
  merge(track) {
    for (const gap of track.gaps) {
      this.gaps.push({ start: gap.start / 1e6, end: gap.end / 1e6, reason: gap.reason });
    }
    for (const { fragments, from, ...facts } of track.segments) {
      const segment = this.#segments.get(facts.name) ?? { ...facts };
      segment.start ??= facts.start;
      this.#segments.set(facts.name, segment);
      for (const [offset, length, start, duration, key] of fragments) {
        this.fragments.push({
          segment, offset, length, start: start / 1e6, end: (start + duration) / 1e6, isKey: key === 1,
        });
      }
    }
    for (const segment of this.#segments.values()) segment.origin = segment.start / 1e6;
  }

  get start() {
    return this.fragments[0]?.start;
  }

  get end() {
    return this.fragments.at(-1)?.end;
  }

  /** The place of the last fragment that begins at `time` or before; -1 before the first. */
  indexAt(time) {
    let [low, high] = [0, this.fragments.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.fragments[middle].start <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The place of the fragment that is played at `time`; undefined when there is none. */
  covering(time) {
    const index = this.indexAt(time);
    const fragment = this.fragments[index];
    if (!fragment || fragment.segment.problem) return undefined;
    const next = this.fragments[index + 1];
    const end = next && next.start - fragment.end < smallestGap ? next.start : fragment.end;
    return time < end ? index : undefined;
  }

  /** The keyframe that has to be decoded before the fragment at `index` can be. */
  keyframeBefore(index) {
    const { segment } = this.fragments[index];
    while (!this.fragments[index].isKey && this.fragments[index - 1]?.segment === segment) index -= 1;
    return index;
  }

  /**
   * Why nothing is played at `time`: the hole around it.
   * @returns {Hole | undefined} undefined when there is something
   */
  holeAt(time) {
    if (this.covering(time) !== undefined) return undefined;
    const index = this.indexAt(time);
    const fragment = this.fragments[index];
    const start = fragment?.end ?? -Infinity;
    const end = this.fragments[index + 1]?.start ?? Infinity;
    if (fragment?.segment.problem && time < start) return this.#damageAround(index);
    const told = this.gaps.find((gap) => gap.start - smallestGap <= time && time < gap.end + smallestGap);
    if (told) return { start: Math.max(start, told.start), end: Math.min(end, told.end), reason: told.reason };
    return { start, end, reason: index < 0 || end === Infinity ? "none" : "unknown" };
  }

  /** The whole of a file that cannot be played. @returns {Hole} */
  #damageAround(index) {
    const { segment } = this.fragments[index];
    let [first, last] = [index, index];
    while (this.fragments[first - 1]?.segment === segment) first -= 1;
    while (this.fragments[last + 1]?.segment === segment) last += 1;
    return { start: this.fragments[first].start, end: this.fragments[last].end, reason: segment.problem };
  }

  /** Where something is recorded: runs from and to, for a timeline. */
  get runs() {
    const runs = [];
    for (const { start, end, segment } of this.fragments) {
      const last = runs.at(-1);
      if (segment.problem) continue;
      if (last && start - last.end < smallestGap) last.end = end;
      else runs.push({ start, end });
    }
    return runs;
  }
}

/**
 * An archive that is looked at. Dispatches `change` when more is known, and `ended` with an {@link ArchiveError} when the
 * service shows it no longer.
 */
export class Archive extends EventTarget {
  /** @type {Map<string, RecordedTrack>} */
  #tracks = new Map();
  /** What the playlist says besides its tracks. */
  facts = { state: "none" };
  /** @type {object[]} cues of the timeline, with `at` and `end` in seconds */
  cues = [];
  /** Whether the last question was answered. */
  isReachable = true;
  #cuesByNumber = new Map();
  #address;
  #token;
  #line = 0;
  #event = 0;
  #timer;
  #receivedAt = 0;
  #isClosed = false;

  /**
   * @param {string} incident
   * @param {string} token empty for somebody who is signed in
   * @param {string} look what {@link openLook} gave
   */
  constructor(incident, token, look) {
    super();
    this.#token = token;
    this.#address = `/api/v1/incidents/${encodeURIComponent(incident)}/replays/${encodeURIComponent(look)}`;
  }

  /** Reads all that is known, and goes on asking while the incident goes on. */
  async open() {
    await Promise.all([this.#readPlaylist(), this.#readTimeline()]);
    this.#schedule(pollInterval);
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  get tracks() {
    return [...this.#tracks.values()];
  }

  /** @param {string} id */
  track(id) {
    return this.#tracks.get(id);
  }

  /** What people call a stream: whose it is, and which of several. @param {RecordedTrack} track */
  nameOf(track) {
    const owner = this.#ownerOf(track);
    const same = this.tracks.filter((other) =>
      other.kind === track.kind && other.fragments.length > 0 && this.#ownerOf(other) === owner);
    return words.track(track.kind, owner, owner && same.length < 2 ? undefined : same.indexOf(track) + 1);
  }

  #ownerOf(track) {
    return this.cues.find((cue) => cue.kind === "stream" && cue.details?.source === track.source)?.who;
  }

  /** First and last moment of anything recorded. */
  get span() {
    const { start = 0, end = 0 } = this.facts;
    return { start: start / 1e6, end: end / 1e6 };
  }

  /** Whether more may come. */
  get isGrowing() {
    return this.facts.live === true;
  }

  /** The newest moment that can be there by now. */
  get edge() {
    return this.span.end + (this.isGrowing ? (performance.now() - this.#receivedAt) / 1000 : 0);
  }

  /** Whether `time` is where a stream ends that may go on any moment: the next fragment is on its way. */
  isAtEdge(track, time) {
    return this.isGrowing && time >= track.end && time < track.end + edge;
  }

  /** Milliseconds since 1970 of a moment of the archive. */
  wallTime(seconds) {
    return this.facts.epochMicroseconds / 1000 + seconds * 1000;
  }

  /**
   * Bytes of a recorded file.
   * @param {Segment} segment @param {number} start @param {number} end behind the last @param {AbortSignal} signal
   */
  async bytes(segment, start, end, signal) {
    const headers = { Range: `bytes=${start}-${end - 1}` };
    const response = await this.#ask(`/media/${encodeURIComponent(segment.name)}`, { headers, signal });
    return response.arrayBuffer();
  }

  /** A small picture of a track, seconds after the epoch. @returns {Promise<Blob>} */
  async thumbnail(track, seconds) {
    const at = encodeURIComponent(new Date(this.wallTime(seconds)).toISOString());
    return (await this.#ask(`/thumbnails/${encodeURIComponent(track)}?at=${at}`)).blob();
  }

  /** Has it noted that the pictures are clear from now on, or blurred again. @param {boolean} on */
  async noteRevealed(on) {
    const headers = { "Content-Type": "application/json", ...authorization(this.#token) };
    await this.#ask("/reveal", { method: "POST", headers, body: JSON.stringify({ on }) });
  }

  /** How the archive is sealed, and whether that is true, for which the service reads all of it. */
  async verify() {
    return (await this.#ask("/seal?verify=true")).json();
  }

  async #readPlaylist() {
    const playlist = await (await this.#ask(`/playlist.json?after=${this.#line}`)).json();
    this.#receivedAt = performance.now();
    const { tracks, ...facts } = playlist;
    this.facts = facts;
    this.#line = facts.line;
    for (const track of tracks) {
      if (!this.#tracks.has(track.id)) this.#tracks.set(track.id, new RecordedTrack(track));
      this.#tracks.get(track.id).merge(track);
    }
    if (tracks.length > 0) this.dispatchEvent(new Event("change"));
  }

  async #readTimeline() {
    const { cues, next } = await (await this.#ask(`/timeline.json?after=${this.#event}`)).json();
    this.#event = next;
    for (const cue of cues) {
      cue.at /= 1e6;
      if (cue.end !== undefined) cue.end /= 1e6;
      this.#cuesByNumber.set(cue.number, cue);
    }
    if (cues.length === 0) return;
    this.cues = [...this.#cuesByNumber.values()].sort((one, other) => one.at - other.at || one.number - other.number);
    this.dispatchEvent(new Event("change"));
  }

  #schedule(pause) {
    if (this.#isClosed || (!this.isGrowing && this.isReachable && this.facts.state !== "unsealed")) return;
    this.#timer = setTimeout(() => this.#poll(), pause);
  }

  async #poll() {
    try {
      await Promise.all([this.#readPlaylist(), this.#readTimeline()]);
      this.isReachable = true;
    } catch (error) {
      if (error.isFinal) return this.#end(error);
      this.isReachable = false;
      this.dispatchEvent(new Event("change"));
    }
    this.#schedule(this.isReachable ? pollInterval : retryInterval);
  }

  #end(error) {
    if (this.#isClosed) return;
    this.close();
    this.dispatchEvent(new CustomEvent("ended", { detail: error }));
  }

  #ask(path, options) {
    return ask(this.#address + path, this.#token, options);
  }
}

/**
 * Opens a look at an incident; the service keeps who looks and why.
 * @param {string} incident
 * @param {string} token empty for somebody who is signed in
 * @param {{reason: string} | {live: true}} wish
 * @returns {Promise<string>} the look's name
 */
export async function openLook(incident, token, wish) {
  const headers = { "Content-Type": "application/json" };
  if (!token) headers["X-CSRF-Token"] = (await (await ask("/api/v1/me", token)).json()).csrfToken ?? "";
  const path = `/api/v1/incidents/${encodeURIComponent(incident)}/replays`;
  const response = await ask(path, token, { method: "POST", headers, body: JSON.stringify(wish) });
  return (await response.json()).replay;
}

/** One request; throws an {@link ArchiveError} unless it succeeds. */
async function ask(address, token, { headers = {}, ...options } = {}) {
  const fields = token ? { ...authorization(token), ...headers } : headers;
  let response;
  try {
    response = await fetch(address, { ...options, headers: fields, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ArchiveError("The service does not answer.", 0);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new ArchiveError(problem.detail ?? `The service answered with error ${response.status}.`, response.status, problem.code);
}
