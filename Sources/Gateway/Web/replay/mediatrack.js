/**
 * Plays one recorded stream through Media Source Extensions: fetches what lies around the playhead, lets go of what does
 * not, and says whether its element can show a moment.
 * @module
 */

/** Seconds that are fetched ahead of the playhead and kept behind it, at normal speed. */
const ahead = 12;
const behind = 8;
/** Bytes and seconds of one request; the first one after a jump is for the nearest moment only. */
const maximumRequest = { bytes: 1 << 20, seconds: 5 };
const urgentSeconds = 1;
/** Seconds inside a buffered range that a jump lands at: exactly on its edge browsers wait for ever. */
const inside = 0.004;
/** Seconds by which a frame's own time may differ from what the manifest says. */
const tolerance = 0.08;
const retryPause = 1000;
/** How often a fragment that the browser has thrown away is fetched again. */
const maximumReloads = 3;

/** Dispatches `problem` when it turns out that a file cannot be played; the file then says why. */
export class MediaTrack extends EventTarget {
  /** Why nothing can be played at all, in words. */
  problem = "";
  /** Bytes fetched since the beginning. */
  fetched = 0;

  #archive;
  #track;
  #element;
  #source = new MediaSource();
  /** @type {SourceBuffer | undefined} */
  #buffer;
  /** The file whose header the buffer knows, and the place of the fragment that it took last. */
  #segment;
  #last = -1;
  #mime = "";
  /** @type {Set<number>} places of the fragments that were taken */
  #loaded = new Set();
  #reloads = new Map();
  #headers = new Map();
  #target = 0;
  #rate = 1;
  #isUrgent = true;
  #job;
  #isClosed = false;
  #wake = () => {};

  /**
   * @param {import("./archive.js").Archive} archive
   * @param {import("./archive.js").RecordedTrack} track
   * @param {HTMLMediaElement} element
   */
  constructor(archive, track, element) {
    super();
    this.#archive = archive;
    this.#track = track;
    this.#element = element;
    this.#source.addEventListener("sourceopen", () => this.#run(), { once: true });
    element.src = URL.createObjectURL(this.#source);
  }

  get element() {
    return this.#element;
  }

  get track() {
    return this.#track;
  }

  /** Says where the playhead is, and how fast it goes; `isJump` when it did not come there by playing. */
  seek(time, rate, isJump) {
    this.#target = time;
    this.#rate = rate;
    if (isJump) {
      this.#isUrgent = true;
      const index = this.#wanted()?.first;
      if (this.#job && !(index >= this.#job.first && index <= this.#job.last)) this.#job.abort.abort();
    }
    this.#wake();
  }

  /** The moment nearest to `time` that the element can be sent to; undefined when it is not there yet. */
  landing(time) {
    const { buffered } = this.#element;
    for (let index = 0; index < buffered.length; index += 1) {
      const [start, end] = [buffered.start(index), buffered.end(index)];
      if (time >= start - tolerance && time <= end + tolerance) {
        return Math.min(Math.max(time, start + inside), Math.max(start + inside, end - inside));
      }
    }
    return undefined;
  }

  close() {
    this.#isClosed = true;
    this.#job?.abort.abort();
    this.#wake();
    const address = this.#element.src;
    this.#element.removeAttribute("src");
    this.#element.load();
    URL.revokeObjectURL(address);
  }

  // MARK: Fetching

  async #run() {
    // Longer than anything lasts: the element never counts as ended.
    this.#source.duration = 1e6;
    while (!this.#isClosed && !this.problem) {
      const job = this.#nextJob();
      if (!job) {
        await this.#signal();
        continue;
      }
      try {
        await this.#load(job);
        this.#isUrgent = false;
      } catch (error) {
        if (this.#isClosed) return;
        await this.#recover(error, job);
      }
    }
  }

  /** Resolves when the playhead has moved, or after a moment. */
  #signal(pause = 250) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pause);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The places of the fragments around the playhead. */
  #wanted() {
    const { fragments } = this.#track;
    const reach = this.#target + ahead * Math.max(1, Math.min(4, this.#rate));
    const index = this.#track.covering(this.#target) ?? this.#track.indexAt(this.#target) + 1;
    if (!fragments[index] || fragments[index].start > reach) return undefined;
    return { first: this.#track.keyframeBefore(index), needed: index, reach };
  }

  /** What to fetch next: fragments of one file that follow each other, from a keyframe on. */
  #nextJob() {
    const wanted = this.#wanted();
    if (!wanted) return undefined;
    this.#audit(wanted.needed);
    const { fragments } = this.#track;
    let first = wanted.first;
    while (fragments[first] && (this.#loaded.has(first) || fragments[first].segment.problem)) first += 1;
    if (!fragments[first] || fragments[first].start > wanted.reach) return undefined;
    if (!fragments[first].isKey && this.#last !== first - 1) first = this.#track.keyframeBefore(first);
    let last = first;
    const { segment, offset, start } = fragments[first];
    const seconds = this.#isUrgent ? urgentSeconds : maximumRequest.seconds;
    // As much as is needed for the moment wanted, and then up to the bounds of a request.
    for (let next = first + 1; fragments[next]?.segment === segment; next += 1) {
      const isNeeded = next <= wanted.needed;
      const { offset: begin, length, end } = fragments[next];
      if (!isNeeded && (begin + length - offset > maximumRequest.bytes || end - start > seconds)) break;
      if (!isNeeded && this.#loaded.has(next)) break;
      last = next;
    }
    return { first, last, segment, abort: new AbortController() };
  }

  async #load(job) {
    this.#job = job;
    const { fragments } = this.#track;
    const { segment, abort: { signal } } = job;
    const [start, end] = [fragments[job.first].offset, fragments[job.last].offset + fragments[job.last].length];
    if (!MediaSource.isTypeSupported(segment.mime)) {
      this.#give(segment, `this browser cannot play ${segment.codec}`);
      return;
    }
    let header = this.#headers.get(segment);
    let data;
    if (!header && start === segment.header) {
      const both = await this.#archive.bytes(segment, 0, end, signal);
      [header, data] = [both.slice(0, segment.header), both.slice(segment.header)];
    } else {
      [header, data] = await Promise.all([
        header ?? this.#archive.bytes(segment, 0, segment.header, signal),
        this.#archive.bytes(segment, start, end, signal),
      ]);
    }
    this.fetched += data.byteLength;
    this.#headers.set(segment, header);
    await this.#evict();
    if (this.#isClosed) return;
    await this.#begin(segment, header);
    await this.#append(data);
    for (let index = job.first; index <= job.last; index += 1) this.#loaded.add(index);
    this.#last = job.last;
    this.#job = undefined;
  }

  /** Gives the buffer a file's header, unless it is the file that it knows. */
  async #begin(segment, header) {
    if (this.#segment === segment) return;
    if (!this.#buffer) {
      this.#buffer = this.#source.addSourceBuffer(segment.mime);
    } else {
      // Whatever the parser waits for belongs to the other file.
      this.#buffer.abort();
      if (this.#mime !== segment.mime) this.#buffer.changeType(segment.mime);
    }
    this.#mime = segment.mime;
    this.#buffer.timestampOffset = segment.origin;
    this.#segment = undefined;
    await this.#append(header);
    this.#segment = segment;
  }

  #append(data) {
    return this.#update(() => this.#buffer.appendBuffer(data));
  }

  #update(work) {
    const buffer = this.#buffer;
    return new Promise((resolve, reject) => {
      const done = new AbortController();
      const finish = (settle, value) => {
        done.abort();
        settle(value);
      };
      buffer.addEventListener("updateend", () => finish(resolve), { signal: done.signal });
      buffer.addEventListener("error", () => finish(reject, new MediaFailure()), { signal: done.signal });
      try {
        work();
      } catch (error) {
        finish(reject, error);
      }
    });
  }

  // MARK: Room

  /** Lets go of what lies far from the playhead; `distance` is how many seconds on either side stay. */
  async #evict(before = behind, after = 2 * ahead * Math.max(1, Math.min(4, this.#rate))) {
    if (!this.#buffer || this.#loaded.size === 0) return;
    const { fragments } = this.#track;
    const places = [...this.#loaded].sort((one, other) => one - other);
    const newest = fragments[places.at(-1)];
    const place = this.#track.indexAt(this.#target - before);
    // Only up to a keyframe: what depends on it would go as well.
    const first = place < 0 ? 0 : this.#track.keyframeBefore(place);
    if (first > places[0]) await this.#remove(0, first);
    const last = this.#track.indexAt(this.#target + after) + 1;
    if (fragments[last] && newest.start > fragments[last].start) await this.#remove(last, fragments.length);
  }

  async #remove(first, last) {
    const { fragments } = this.#track;
    const start = first === 0 ? 0 : fragments[first].start;
    const end = last < fragments.length ? fragments[last].start : Infinity;
    if (end <= start) return;
    if (this.#buffer.updating) return;
    await this.#update(() => this.#buffer.remove(start, end));
    for (const place of this.#loaded) if (place >= first && place < last) this.#loaded.delete(place);
    if (this.#last >= first && this.#last < last) this.#last = -1;
  }

  /** Browsers throw away what they like when memory is short: what is needed and gone is fetched again. */
  #audit(needed) {
    const { fragments } = this.#track;
    for (let index = needed; index <= needed + 2; index += 1) {
      if (!this.#loaded.has(index)) continue;
      const middle = (fragments[index].start + fragments[index].end) / 2;
      if (this.landing(middle) !== undefined) continue;
      const count = (this.#reloads.get(index) ?? 0) + 1;
      this.#reloads.set(index, count);
      if (count > maximumReloads) continue;
      for (let place = this.#track.keyframeBefore(index); place <= index; place += 1) this.#loaded.delete(place);
    }
  }

  async #recover(error, job) {
    this.#job = undefined;
    if (error.name === "AbortError") return;
    if (error.name === "QuotaExceededError") return this.#evict(2, 4);
    if (error instanceof MediaFailure || error.name === "InvalidStateError") {
      this.#give(job.segment, "the file is damaged");
      this.#restart();
    } else if (error.isFinal && error.status !== 401 && error.status !== 403) {
      // The file is missing or not what was recorded: the others are played all the same.
      this.#give(job.segment, error.code === "notFound" ? "the file is missing" : "the file cannot be read");
    } else {
      await this.#signal(retryPause);
    }
  }

  /** Gives a file up. @param {import("./archive.js").Segment} segment @param {string} problem why, in words */
  #give(segment, problem) {
    segment.problem = problem;
    this.dispatchEvent(new Event("problem"));
  }

  /** A failed append ends a media source for good: a new one takes its place. */
  #restart() {
    const former = this.#element.src;
    this.#source = new MediaSource();
    this.#buffer = this.#segment = undefined;
    this.#mime = "";
    this.#last = -1;
    this.#loaded.clear();
    this.#isClosed = true;
    this.#source.addEventListener("sourceopen", () => {
      this.#isClosed = false;
      this.#run();
    }, { once: true });
    this.#element.src = URL.createObjectURL(this.#source);
    URL.revokeObjectURL(former);
  }
}

/** The browser could not take what it was given. */
class MediaFailure extends Error {}
