/**
 * What a caller's camera and microphone give while the line is down: recorded in the page, and sent when the service can
 * be reached again, so that the archive has it beside the gap.
 *
 * Nothing is recorded while the line is good: a second encoder would cost battery and heat all through the call. The price
 * is the moment until the loss is noticed, half a second with a picture and a second and a half with sound alone.
 * @module
 */

import { authorization, randomText } from "../shared/access.js";

/** Milliseconds between two looks at the line. */
const lookInterval = 100;
/**
 * Milliseconds without a packet after which the line counts as lost. The service answers pictures with feedback many times a
 * second, and sound alone with two reports.
 */
const quietWithPicture = 400;
const quietWithSound = 1500;
/** For how long recording goes on when the line is back, milliseconds: the service has to get a whole picture first. */
const overlap = 1500;
/** Shorter losses are not worth sending, milliseconds: most are none. */
const shortestLoss = 1000;
/** Milliseconds of one upload: a long loss is cut up, so that HTTP may carry its beginning while media does not come through. */
const pieceLength = 60_000;
/** Milliseconds of one loss; beyond it recording stops, and what there is stays. */
const maximumLoss = 300_000;
/** Bytes in memory, of all that is recorded and not sent yet; recording stops there. */
const maximumBytes = 60 << 20;
/** Recorders that may fail in one loss. */
const maximumFailures = 3;
/** Milliseconds after its end in which a piece is sent, or never. */
const giveUpAfter = 600_000;
const requestTimeout = 120_000;
const firstBackoff = 1000;
const maximumBackoff = 15_000;
/** Milliseconds for which the page says that all was sent. */
const sentShown = 6000;
/** What browsers let outlive the page, in bytes. */
const maximumKeepalive = 60 << 10;
const videoBitsPerSecond = 1_200_000;
const audioBitsPerSecond = 48_000;

/** The cheapest to encode first. */
const types = {
  video: ["video/webm;codecs=vp8,opus", "video/webm", "video/mp4"],
  audio: ["audio/webm;codecs=opus", "audio/webm", "audio/mp4"],
};

/**
 * One recording of one loss, or of a part of it.
 * @typedef {object} Piece
 * @property {string} name our own, by which the service knows it when it comes twice
 * @property {"video" | "audio"} kind
 * @property {string | undefined} source the stream that it stands in for
 * @property {MediaStreamTrack | undefined} camera
 * @property {MediaRecorder} recorder
 * @property {number} began on the clock of `performance.now()`
 * @property {number} ended
 * @property {Blob[]} parts
 * @property {boolean} isDropped
 */

/** Dispatches `change` when {@link LineBuffer#state} does. */
export class LineBuffer extends EventTarget {
  /** What there is to say: something is being sent, all was, or something could not be. @type {"idle" | "sending" | "sent" | "failed"} */
  state = "idle";
  /** Pieces that the service has. */
  sent = 0;

  #access;
  #isWanted;
  #source;
  /** @type {import("./call.js").Call | undefined} */
  #call;
  #timer;
  #isLooking = false;
  /** What the line had brought at the last look, and when that was more than before. */
  #received = 0;
  #heardAt = 0;
  /** The loss that goes on. @type {{since: number, upSince?: number, failures: number, pieces: Piece[]} | undefined} */
  #loss;
  /** What is being recorded. @type {Piece | undefined} */
  #piece;
  /** What waits to be sent, the one on its way first. @type {Piece[]} */
  #queue = [];
  #isSending = false;
  #wake = () => {};
  #bytes = 0;

  /**
   * @param {import("../shared/access.js").Access} access
   * @param {() => boolean} isWanted whether the service records, so that it has a use for it
   * @param {(kind: "video" | "audio") => string | undefined} source the service's name of what we send
   */
  constructor(access, isWanted, source) {
    super();
    this.#access = access;
    this.#isWanted = isWanted;
    this.#source = source;
    addEventListener("online", () => this.#wake());
    addEventListener("offline", () => this.#look());
  }

  /**
   * Watches over a call's line from now on.
   * @param {import("./call.js").Call} call
   */
  watch(call) {
    this.finish();
    this.#call = call;
    this.#heardAt = performance.now();
    call.connection.addEventListener("state", () => {
      this.#heardAt = performance.now();
      if (call.connection.state === "connected") this.#wake();
      this.#look();
    });
    this.#timer = setInterval(() => this.#look(), lookInterval);
  }

  /** The call is over: nothing more is recorded, and what there is goes on being sent. */
  finish() {
    clearInterval(this.#timer);
    this.#call = undefined;
    if (this.#loss) this.#endLoss(performance.now());
  }

  /** Whether the line is down, as far as is known, and what it would carry is kept. */
  get isRecording() {
    return this.#piece !== undefined;
  }

  // MARK: The line

  async #look() {
    const call = this.#call;
    if (!call || this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#listen(call);
    } finally {
      this.#isLooking = false;
    }
    if (call === this.#call) this.#judge(call);
  }

  /** Notes whether anything has come since the last look. */
  async #listen(call) {
    const sender = call.connection.peerConnection?.getSenders().find(({ track }) => track);
    const report = await sender?.getStats().catch(() => undefined);
    let received = 0;
    for (const { type, bytesReceived } of report?.values() ?? []) {
      if (type === "transport" || type === "candidate-pair") received += bytesReceived ?? 0;
    }
    // Where a browser counts nothing, only its own word counts.
    if (received !== this.#received || received === 0) this.#heardAt = performance.now();
    this.#received = received;
  }

  #judge(call) {
    const { state } = call.connection;
    const isOff = navigator.onLine === false || state === "reconnecting";
    const isQuiet = performance.now() - this.#heardAt > (call.camera ? quietWithPicture : quietWithSound);
    if (state === "connected" && !isOff && !isQuiet) this.#lineIsUp();
    else if (state === "connected" || state === "reconnecting") this.#lineIsDown(call);
  }

  #lineIsDown(call) {
    const now = performance.now();
    this.#loss ??= { since: now, failures: 0, pieces: [] };
    this.#loss.upSince = undefined;
    this.#record(call, now);
  }

  #lineIsUp() {
    if (!this.#loss) return;
    const now = performance.now();
    this.#loss.upSince ??= now;
    if (now - this.#loss.upSince >= overlap) this.#endLoss(this.#loss.upSince);
  }

  /** @param {number} backAt when the line was back */
  #endLoss(backAt) {
    const { since, pieces } = this.#loss;
    this.#loss = undefined;
    if (backAt - since < shortestLoss) for (const piece of pieces) piece.isDropped = true;
    this.#close();
  }

  // MARK: Recording

  /** Begins to record, or begins another piece where it is time; stops at the bounds. */
  #record(call, now) {
    if (!this.#isWanted() || this.#loss.failures >= maximumFailures) return;
    if (now - this.#loss.since >= maximumLoss || this.#bytes >= maximumBytes) return this.#close();
    const old = this.#piece;
    // A recorder keeps to the tracks that it began with: another camera is another piece.
    if (old && old.camera === call.camera && now - old.began < pieceLength) return;
    this.#open(call);
    // The new one runs before the old one ends, so that nothing is lost between them.
    if (old && this.#piece !== old) this.#close(old);
  }

  #open(call) {
    const tracks = call.stream.getTracks().filter((track) => track.readyState === "live");
    const kind = tracks.some((track) => track.kind === "video") ? "video" : "audio";
    const mimeType = types[kind].find((type) => window.MediaRecorder?.isTypeSupported(type));
    if (tracks.length === 0 || !mimeType) return;
    try {
      const recorder = new MediaRecorder(new MediaStream(tracks), { mimeType, videoBitsPerSecond, audioBitsPerSecond });
      const piece = {
        name: randomText(16), kind, source: this.#source(kind), camera: call.camera, recorder,
        began: performance.now(), ended: 0, parts: [], isDropped: false,
      };
      recorder.addEventListener("dataavailable", ({ data }) => {
        piece.parts.push(data);
        this.#bytes += data.size;
      });
      recorder.addEventListener("stop", () => this.#stopped(piece));
      recorder.start(1000);
      this.#piece = piece;
      this.#loss.pieces.push(piece);
    } catch (error) {
      this.#loss.failures += 1;
      console.warn("sightline: the loss is not recorded", error);
    }
  }

  #close(piece = this.#piece) {
    if (piece === this.#piece) this.#piece = undefined;
    if (piece && piece.recorder.state !== "inactive") {
      piece.ended = performance.now();
      piece.recorder.stop();
    }
  }

  /** All of it is here; also when its tracks have ended, or the recorder has failed. */
  #stopped(piece) {
    if (piece === this.#piece) {
      this.#piece = undefined;
      if (this.#loss) this.#loss.failures += 1;
    }
    piece.ended ||= performance.now();
    if (piece.isDropped || size(piece) === 0) return this.#forget(piece);
    this.#queue.push(piece);
    this.#sendAll();
  }

  #forget(piece) {
    this.#bytes -= size(piece);
    piece.parts = [];
  }

  // MARK: Sending

  async #sendAll() {
    if (this.#isSending) return;
    this.#isSending = true;
    this.#enter("sending");
    let isComplete = true;
    for (; this.#queue.length > 0; this.#queue.shift()) {
      const isSent = await this.#send(this.#queue[0]);
      if (isSent) this.sent += 1;
      isComplete &&= isSent;
      this.#forget(this.#queue[0]);
    }
    this.#isSending = false;
    this.#enter(isComplete ? "sent" : "failed");
    if (isComplete) setTimeout(() => this.state === "sent" && this.#enter("idle"), sentShown);
  }

  /** Sends until the service has it, or never will; whether it has. */
  async #send(piece) {
    for (let failures = 0; performance.now() - piece.ended < giveUpAfter; failures += 1) {
      const { isSent, isFinal, retryAfter } = await this.#put(piece);
      if (isSent || isFinal) return isSent;
      await this.#pause(retryAfter ?? Math.min(maximumBackoff, firstBackoff * 2 ** failures));
    }
    return false;
  }

  /** One try. The age is told rather than a time of day: the phone's clock may be wrong. */
  async #put(piece) {
    const body = new Blob(piece.parts, { type: piece.recorder.mimeType.split(";")[0] });
    const query = new URLSearchParams({
      age: String(Math.round(performance.now() - piece.began)),
      duration: String(Math.round(piece.ended - piece.began)), kind: piece.kind,
    });
    if (piece.source) query.set("source", piece.source);
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), requestTimeout);
    try {
      const address = `/api/v1/incidents/${encodeURIComponent(this.#access.incident)}/late/${piece.name}?${query}`;
      const response = await fetch(address, {
        method: "PUT", body, headers: { ...authorization(this.#access.token), "Content-Type": body.type },
        keepalive: body.size <= maximumKeepalive, signal: timeout.signal,
      });
      const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
      const isFinal = response.status >= 400 && response.status < 500 && ![408, 425, 429].includes(response.status);
      if (isFinal) console.warn("sightline: a recording was refused", await response.text());
      return { isSent: response.ok, isFinal, retryAfter: Number.isFinite(seconds) ? seconds * 1000 : undefined };
    } catch {
      return { isSent: false, isFinal: false };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits, or until there is a network again. */
  #pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #enter(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {Piece} piece */
function size(piece) {
  return piece.parts.reduce((sum, part) => sum + part.size, 0);
}
