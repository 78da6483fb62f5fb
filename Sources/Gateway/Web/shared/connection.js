/**
 * One media connection to the service that keeps itself alive: it opens a session, watches it, restarts ICE when the
 * network changes, and opens a new session when the old one is gone.
 * @module
 */

import { applyRestart, describeICE, writeFragment } from "./fragment.js";
import { SignallingError, SignallingSession } from "./whip.js";

/**
 * `idle`: not started. `connecting`: never connected so far. `connected`: a path carries media. `reconnecting`: it did,
 * and is to do so again. `closed`: ended by us. `failed`: refused for good.
 * @typedef {"idle" | "connecting" | "connected" | "reconnecting" | "closed" | "failed"} ConnectionState
 */

/** How long ICE may say `disconnected` before we restart it, in milliseconds: shorter gaps heal by themselves. */
const disconnectedGrace = 1000;
/** How long a session or a restart may take to connect before the next try. */
const connectTimeout = 6000;
/** Restarts of one session that may find no path before a new session is opened in its place. */
const maximumDeadEnds = 3;
/** How long the service has to take notice of the end before the path goes. */
const endTimeout = 500;
/** Candidates that turn up within this time travel together. */
const trickleInterval = 80;
const firstBackoff = 250;
const maximumBackoff = 4000;

/** Dispatches `state` whenever {@link MediaConnection#state} changes. */
export class MediaConnection extends EventTarget {
  /** @type {ConnectionState} */
  #state = "idle";
  #since = performance.now();
  #options;
  /** @type {RTCPeerConnection | undefined} */
  #peerConnection;
  /** @type {SignallingSession | undefined} */
  #session;
  /** A session that is given up once another stands: ending it first would tell the service that the call is over. */
  #former;
  #answer = "";
  #hasConnected = false;
  /** @type {SignallingError | undefined} */
  #error;
  #restarts = 0;
  #sessions = 0;
  /** @type {Trickle | undefined} */
  #trickle;
  /** Wakes whatever the supervisor waits for. */
  #wake = new EventTarget();

  /**
   * @param {object} options
   * @param {string} options.endpoint
   * @param {string} options.token
   * @param {RTCConfiguration} options.configuration
   * @param {(connection: RTCPeerConnection) => void} options.prepare adds tracks, slots and channels to a new connection
   */
  constructor(options) {
    super();
    this.#options = options;
  }

  get state() {
    return this.#state;
  }

  /** When the state was entered, on the clock of `performance.now()`. */
  get since() {
    return this.#since;
  }

  /** Why the state is `failed`. */
  get error() {
    return this.#error;
  }

  /** The connection in use; it changes when a new session had to be opened. */
  get peerConnection() {
    return this.#peerConnection;
  }

  /** How often ICE was restarted and how many sessions were opened. */
  get counters() {
    return { restarts: this.#restarts, sessions: this.#sessions };
  }

  /** The peer's name in the incident's news, while there is a session. */
  get peer() {
    return this.#session?.peer;
  }

  /** Connects, and stays connected until {@link stop}. */
  async start() {
    if (this.#state !== "idle") return;
    this.#enter("connecting");
    addEventListener("online", this.#onNetworkChange);
    navigator.connection?.addEventListener?.("change", this.#onNetworkTypeChange);
    await this.#supervise();
  }

  /** Ends the session; safe to call at any time, also while the page goes away. */
  stop() {
    if (this.#hasEnded) return;
    this.#enter("closed");
    this.#end();
  }

  /** Lets go of the session without ending it: the page is reloaded, or the service has ended it. */
  leave() {
    this.#session = this.#former = undefined;
    this.stop();
  }

  get #hasEnded() {
    return this.#state === "closed" || this.#state === "failed";
  }

  /** Open or restart, wait until connected, wait for trouble, and again. */
  async #supervise() {
    for (let failures = 0, deadEnds = 0; !this.#hasEnded; ) {
      try {
        await (this.#session ? this.#restart() : this.#open());
        if (!(await this.#connects(connectTimeout))) throw new DeadEnd();
        failures = deadEnds = 0;
        this.#hasConnected = true;
        this.#enter("connected");
        await this.#untilTrouble();
        this.#enter("reconnecting");
      } catch (error) {
        if (this.#hasEnded) return;
        if (error.isFinal || (error.isGone && !this.#session)) return this.#fail(error);
        failures += 1;
        // A service out of reach keeps our session for a while: only a proven dead end is worth a new one.
        if (error instanceof DeadEnd) deadEnds += 1;
        if (error.isGone || deadEnds >= maximumDeadEnds) {
          deadEnds = 0;
          if (!error.isGone) this.#former = this.#session;
          this.#session = undefined;
        }
        const pause = error.retryAfter ? error.retryAfter * 1000 : backoff(failures);
        await this.#signal(["network"], error.isGone ? 0 : pause);
      }
    }
  }

  async #open() {
    this.#peerConnection?.close();
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", ...this.#options.configuration });
    this.#peerConnection = connection;
    this.#trickle = new Trickle(connection);
    for (const type of ["iceconnectionstatechange", "connectionstatechange"]) {
      connection.addEventListener(type, () => this.#wake.dispatchEvent(new Event("transport")));
    }
    this.#options.prepare(connection);
    await connection.setLocalDescription();
    const { session, answer } = await SignallingSession.open(
      this.#options.endpoint, this.#options.token, connection.localDescription.sdp);
    if (this.#hasEnded) return session.close();
    this.#session = session;
    this.#former?.close();
    this.#former = undefined;
    this.#sessions += 1;
    this.#answer = answer;
    await connection.setRemoteDescription({ type: "answer", sdp: answer });
    this.#trickle.release(session);
  }

  /** Same session, new path: media goes on over the old path until the new one is proven. */
  async #restart() {
    const connection = this.#peerConnection;
    this.#restarts += 1;
    this.#trickle.hold();
    await connection.setLocalDescription(await connection.createOffer({ iceRestart: true }));
    const ours = writeFragment(describeICE(connection.localDescription.sdp), [], false);
    const fragment = await this.#session.restart(ours);
    this.#answer = applyRestart(this.#answer, fragment);
    await connection.setRemoteDescription({ type: "answer", sdp: this.#answer });
    this.#trickle.release(this.#session);
  }

  /** Whether a path is found within so many milliseconds; a change of network ends the wait. */
  async #connects(milliseconds) {
    const deadline = performance.now() + milliseconds;
    while (!isConnected(this.#peerConnection)) {
      const cause = await this.#signal(["transport", "network"], deadline - performance.now());
      // The state still says `failed` when a restart begins; it counts when it is said anew.
      const hasFailed = cause === "transport" && this.#peerConnection.connectionState === "failed";
      if (this.#hasEnded || cause === "timeout" || cause === "network" || hasFailed) return false;
    }
    return true;
  }

  async #untilTrouble() {
    while (!this.#hasEnded) {
      const cause = await this.#signal(["transport", "network"]);
      if (cause === "network" || this.#peerConnection.connectionState === "failed") return;
      const isRestarting = this.#peerConnection.iceConnectionState === "checking";
      if (!(await this.#connects(isRestarting ? connectTimeout : disconnectedGrace))) return;
    }
  }

  /** Resolves with the type of the first event, with `end`, or with `timeout`. */
  #signal(types, milliseconds) {
    return new Promise((resolve) => {
      const done = new AbortController();
      const finish = (type) => {
        done.abort();
        clearTimeout(timer);
        resolve(type);
      };
      const timer = milliseconds === undefined ? undefined : setTimeout(finish, Math.max(0, milliseconds), "timeout");
      for (const type of [...types, "end"]) {
        this.#wake.addEventListener(type, () => finish(type), { signal: done.signal });
      }
    });
  }

  #onNetworkChange = () => this.#wake.dispatchEvent(new Event("network"));

  #networkType = navigator.connection?.type;

  /** The event also tells of mere changes in speed, which need no restart. */
  #onNetworkTypeChange = () => {
    const type = navigator.connection?.type;
    if (type === this.#networkType) return;
    this.#networkType = type;
    if (type !== "none") this.#onNetworkChange();
  };

  /** @param {ConnectionState} state */
  #enter(state) {
    if (state === this.#state || this.#hasEnded) return;
    this.#state = state;
    this.#since = performance.now();
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  #fail(error) {
    this.#error = error;
    this.#enter("failed");
    this.#end();
  }

  #end() {
    removeEventListener("online", this.#onNetworkChange);
    navigator.connection?.removeEventListener?.("change", this.#onNetworkTypeChange);
    this.#discardSession();
    this.#wake.dispatchEvent(new Event("end"));
  }

  #discardSession() {
    const connection = this.#peerConnection;
    const ends = [this.#session?.close(), this.#former?.close()].filter(Boolean);
    this.#session = this.#former = undefined;
    // The service is to learn that we end it before it sees the path go, which would look like a failure.
    const pause = new Promise((resolve) => setTimeout(resolve, ends.length > 0 ? endTimeout : 0));
    Promise.race([Promise.all(ends), pause]).then(() => connection?.close());
  }
}

/** The service answered, but no path through the network was found. */
class DeadEnd extends Error {}

/** Gathers candidates as they turn up and sends them in batches while the session can take them. */
class Trickle {
  #connection;
  #candidates = [];
  #isComplete = false;
  #session;
  #timer;

  constructor(connection) {
    this.#connection = connection;
    connection.addEventListener("icecandidate", ({ candidate }) => this.#add(candidate));
  }

  /** Keeps candidates back: during a restart the server does not know the new credentials yet. */
  hold() {
    this.#session = undefined;
  }

  /** @param {SignallingSession} session */
  release(session) {
    this.#session = session;
    this.#schedule();
  }

  #add(candidate) {
    if (candidate?.candidate) this.#candidates.push(candidate);
    else this.#isComplete = candidate === null;
    this.#schedule();
  }

  #schedule() {
    if (!this.#session || this.#timer || (this.#candidates.length === 0 && !this.#isComplete)) return;
    this.#timer = setTimeout(() => this.#flush(), trickleInterval);
  }

  async #flush() {
    this.#timer = undefined;
    const description = this.#connection.localDescription;
    if (!description || !this.#session) return;
    const ice = describeICE(description.sdp);
    // What an earlier generation gathered means nothing to the one in force.
    const current = this.#candidates.filter((candidate) => candidate.usernameFragment === ice.usernameFragment);
    const fragment = writeFragment(ice, current.map((candidate) => candidate.candidate), this.#isComplete);
    this.#candidates = [];
    this.#isComplete = false;
    // A batch that gets lost costs little: the server learns our addresses from our own checks (RFC 8445 §7.3.1.3).
    await this.#session.trickle(fragment).catch(() => {});
  }
}

function isConnected(connection) {
  return ["connected", "completed"].includes(connection?.iceConnectionState) && connection.connectionState === "connected";
}

function backoff(failures) {
  const full = Math.min(maximumBackoff, firstBackoff * 2 ** (failures - 1));
  return full * (0.75 + Math.random() / 2);
}
