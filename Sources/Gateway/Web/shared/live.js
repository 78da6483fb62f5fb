/**
 * A staff member's one connection to the media of an incident: pictures and voices come in on slots, one's own voice, camera
 * or screen go out when they are switched on. Everything is offered once; nothing is negotiated again (DESIGN, decision 1).
 * @module
 */

import { authorization, configuration } from "./access.js";
import { MediaConnection } from "./connection.js";
import { Slot } from "./slot.js";
import { fetchICEServers } from "./whip.js";

/** Milliseconds between two looks at the statistics. */
const measureInterval = 500;
/** Milliseconds that news of sources gather before the service is asked what is on which slot. */
const placeDelay = 150;
const maximumVoiceBitrate = 48_000;
const maximumPictureBitrate = 1_500_000;

/**
 * @typedef {object} LiveOptions
 * @property {import("./session.js").Session} session
 * @property {string} incident
 * @property {import("./metadata.js").MetadataChannel} metadata what the connection carries besides
 * @property {import("./events.js").IncidentEvents} events of the incident
 * @property {number} [pictures] slots for a picture with its sound; 2 if not given
 * @property {number} [voices] slots for sound alone; 3 if not given
 * @property {boolean} [sends] whether one may send as well
 */

/** Dispatches `change` at every change of state and twice a second. */
export class LivePeer extends EventTarget {
  /** The first is the large picture's, whoever is on it. @type {Slot[]} */
  slots;
  /** What is on the slots: ids of sources by mid. @type {Record<string, string>} */
  placed = {};
  /** All sound but that of the first slot, which is the large picture's: give it to one `audio` element. */
  voices = new MediaStream();
  /** What one sends oneself. @type {{voice?: MediaStreamTrack, picture?: MediaStreamTrack}} */
  own = {};
  /** Whether one's voice goes out now. */
  isTalking = false;

  #options;
  #voiceSlots;
  #connection;
  #senders = {};
  #timer;
  #placeTimer;

  /** @param {LiveOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.slots = Array.from({ length: options.pictures ?? 2 }, () => new Slot());
    this.#voiceSlots = options.voices ?? 3;
    options.events.addEventListener("change", this.#onNews);
  }

  async start() {
    const { session, incident, sends } = this.#options;
    const iceServers = await fetchICEServers(session.token);
    const access = { options: new URLSearchParams(location.search) };
    this.#connection = new MediaConnection({
      endpoint: `/${sends ? "whip" : "whep"}/${encodeURIComponent(incident)}`,
      token: session.token,
      configuration: configuration(access, iceServers),
      prepare: (connection) => this.#prepare(connection),
    });
    this.#connection.addEventListener("state", () => {
      this.#onNews();
      this.#changed();
    });
    this.#timer = setInterval(() => this.#measure(), measureInterval);
    await this.#connection.start();
  }

  /** Ends it, also for the service. */
  stop() {
    this.#release();
    this.#connection?.stop();
  }

  /** Lets go of what the service has ended by itself. */
  leave() {
    this.#release();
    this.#connection?.leave();
  }

  #release() {
    clearInterval(this.#timer);
    clearTimeout(this.#placeTimer);
    this.#options.events.removeEventListener("change", this.#onNews);
    for (const track of Object.values(this.own)) track?.stop();
    this.own = {};
  }

  /** The service's name of this connection's peer, while there is one. */
  get peer() {
    return this.#connection?.peer;
  }

  /** @returns {import("./connection.js").ConnectionState} of the line itself */
  get state() {
    return this.#connection?.state ?? "idle";
  }

  /** When {@link state} was entered, on the clock of `performance.now()`. */
  get since() {
    return this.#connection?.since;
  }

  /** Why the state is `failed`. */
  get error() {
    return this.#connection?.error;
  }

  /** How often ICE was restarted and how many sessions were opened. */
  get counters() {
    return this.#connection?.counters;
  }

  /**
   * The source of a slot's picture and its peer, as far as the service has told.
   * @param {Slot} slot
   * @returns {{source?: import("./events.js").Source, peer?: import("./events.js").Peer}}
   */
  whoIsOn(slot) {
    const { events } = this.#options;
    const source = events.sources.get(this.placed[slot.mids.video]) ?? events.sources.get(this.placed[slot.mids.audio]);
    return { source, peer: source && events.peers.get(source.peer) };
  }

  /**
   * Puts a peer's picture and sound on a slot; without a peer the slot follows the incident again.
   * @param {Slot} slot
   * @param {string} [peer]
   */
  async place(slot, peer) {
    const of = (kind) => this.#options.events.sourcesOf(kind).find((source) => source.peer === peer)?.id;
    await Promise.all([
      this.#select(slot.mids.video, peer && of("video")), this.#select(slot.mids.audio, peer && of("audio")),
    ]);
    this.#onNews();
  }

  async #select(mid, source) {
    const body = JSON.stringify(source ? { source } : {});
    const headers = { ...authorization(this.#options.session.token), "Content-Type": "application/json" };
    const response = await fetch(`${this.#address}/slots/${mid}`, { method: "PUT", headers, body });
    if (!response.ok) throw new Error((await response.json().catch(() => ({}))).detail ?? "The picture could not be changed.");
  }

  get #address() {
    const { sends, incident } = this.#options;
    return `/${sends ? "whip" : "whep"}/${encodeURIComponent(incident)}/${this.peer}`;
  }

  // MARK: Sending

  /**
   * Lets one's voice out, or no longer. The first time asks for the microphone.
   * @param {boolean} isOn
   */
  async talk(isOn) {
    this.isTalking = isOn;
    if (isOn && !this.own.voice) {
      const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
      [this.own.voice] = (await navigator.mediaDevices.getUserMedia({ audio })).getAudioTracks();
    }
    // The button may have been let go while the browser asked.
    await this.#senders.voice?.replaceTrack(this.isTalking ? this.own.voice : null);
    this.#options.metadata.sendEphemeral("speaking", { on: this.isTalking });
    this.#changed();
  }

  /**
   * Sends a camera or the screen to the incident, or nothing any more.
   * @param {"camera" | "screen" | undefined} what
   */
  async show(what) {
    this.own.picture?.stop();
    this.own.picture = undefined;
    if (what) {
      const stream =
        what === "screen"
          ? await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 15 } })
          : await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: 1280, height: 720 } });
      const [track] = stream.getVideoTracks();
      track.addEventListener("ended", () => {
        if (this.own.picture === track) this.show(undefined);
      });
      this.own.picture = track;
    }
    await this.#senders.picture?.replaceTrack(this.own.picture ?? null);
    this.#changed();
  }

  // MARK: The connection

  #prepare(connection) {
    const { metadata, sends } = this.#options;
    for (const slot of this.slots) slot.prepare(connection, new URLSearchParams(location.search).get("codec"));
    const voices = Array.from({ length: this.#voiceSlots }, () => connection.addTransceiver("audio", { direction: "recvonly" }));
    const small = this.slots.slice(1).flatMap((slot) => slot.stream.getAudioTracks());
    this.voices = new MediaStream([...small, ...voices.map((transceiver) => transceiver.receiver.track)]);
    if (sends) {
      const send = (kind, maxBitrate) =>
        connection.addTransceiver(kind, { direction: "sendonly", sendEncodings: [{ maxBitrate }] }).sender;
      this.#senders = { voice: send("audio", maximumVoiceBitrate), picture: send("video", maximumPictureBitrate) };
      // A new connection goes on with what was being sent.
      if (this.isTalking) this.#senders.voice.replaceTrack(this.own.voice ?? null);
      this.#senders.picture.replaceTrack(this.own.picture ?? null);
    }
    metadata.open(connection);
  }

  async #measure() {
    const connection = this.#connection.peerConnection;
    if (!connection || connection.signalingState === "closed") return;
    const report = await connection.getStats();
    for (const slot of this.slots) slot.measure(report);
    this.#changed();
  }

  #onNews = () => {
    clearTimeout(this.#placeTimer);
    this.#placeTimer = setTimeout(() => this.#learnPlaces(), placeDelay);
  };

  async #learnPlaces() {
    if (!this.peer || this.state !== "connected") return;
    try {
      const response = await fetch(`${this.#address}/slots`, {
        headers: authorization(this.#options.session.token), cache: "no-store",
      });
      if (response.ok) this.placed = (await response.json()).slots;
      this.#changed();
    } catch {
      // The line is gone for the moment: the next news asks again.
    }
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
