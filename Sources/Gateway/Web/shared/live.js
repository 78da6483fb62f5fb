/**
 * A staff member's one connection to the media of an incident: pictures and voices come in on slots, one's own voice, camera
 * or screen go out when they are switched on. Everything is offered once; nothing is negotiated again (DESIGN, decision 1).
 * @module
 */

import { configuration } from "./access.js";
import { MediaConnection } from "./connection.js";
import { offerPicture } from "./encodings.js";
import { Slot } from "./slot.js";
import { SlotService } from "./slotservice.js";
import { fetchICEServers } from "./whip.js";

/** Milliseconds between two looks at the statistics. */
const measureInterval = 500;
/** Milliseconds that news of sources gather before the service is asked what is on which slot. */
const placeDelay = 150;
const maximumVoiceBitrate = 48_000;
/** What the others see of one's own camera or screen. @type {import("./encodings.js").Ladder} */
const ownSizes = {
  l: { maxBitrate: 200_000, scaleResolutionDownBy: 3, maxFramerate: 15 },
  h: { maxBitrate: 1_500_000, scaleResolutionDownBy: 1, maxFramerate: 30 },
};

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
  #service;
  #connection;
  #senders = {};
  #timer;
  #placeTimer;
  /** Who is wanted on which slot: one connection, or a person, whichever connection they come by. @type {Map<Slot, {peer?: string, actor?: string}>} */
  #wishes = new Map();
  /** What the service was asked to put on the m-lines of this session. @type {Map<string, string>} */
  #selected = new Map();
  #isOver = false;

  /** @param {LiveOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.slots = Array.from({ length: options.pictures ?? 2 }, () => new Slot());
    this.#voiceSlots = options.voices ?? 3;
    this.#service = new SlotService(() => this.peer && this.#address, options.session.token, this.slots);
    options.events.addEventListener("change", this.#onNews);
    options.events.addEventListener("view", this.#onView);
  }

  async start() {
    const { session, incident, sends } = this.#options;
    const iceServers = await fetchICEServers(session.token);
    if (this.#isOver) return;
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
    this.#isOver = true;
    clearInterval(this.#timer);
    clearTimeout(this.#placeTimer);
    this.#options.events.removeEventListener("change", this.#onNews);
    this.#options.events.removeEventListener("view", this.#onView);
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
   * Puts a peer's picture and sound on a slot, also in the sessions to come; without a peer the slot follows the incident.
   * @param {Slot} slot
   * @param {string} [peer]
   */
  async place(slot, peer) {
    if (peer) this.#wishes.set(slot, { peer });
    else this.#wishes.delete(slot);
    await this.#grant(slot);
    this.#onNews();
  }

  /**
   * Keeps a person on a slot, also when they come back by another connection; without one the slot follows the incident.
   * @param {Slot} slot
   * @param {string} [actor] who they are in the journal
   */
  async follow(slot, actor) {
    if (this.#wishes.get(slot)?.actor === actor) return;
    if (actor) this.#wishes.set(slot, { actor });
    else this.#wishes.delete(slot);
    await this.#grant(slot);
    this.#onNews();
  }

  /** Asks the service for what is wanted on a slot, where that is not so already. */
  async #grant(slot) {
    if (!this.peer) return;
    const wish = this.#wishes.get(slot);
    const of = (kind) => this.#options.events.sourcesOf(kind).filter(({ peer }) => this.#isWanted(peer, wish)).sort(livelier)[0]?.id;
    await Promise.all(Object.entries(slot.mids).map(([kind, mid]) => this.#select(mid, wish && of(kind))));
  }

  #isWanted(peer, wish) {
    return wish?.peer ? peer === wish.peer : wish?.actor !== undefined && this.#options.events.peers.get(peer)?.actor === wish.actor;
  }

  async #select(mid, source) {
    if (!mid || this.#selected.get(mid) === source) return;
    const before = this.#selected.get(mid);
    if (source) this.#selected.set(mid, source);
    else this.#selected.delete(mid);
    const response = await this.#service.put(mid, source ? { source } : {});
    if (response?.ok) return;
    // The next news tries again.
    if (before) this.#selected.set(mid, before);
    else this.#selected.delete(mid);
    throw new Error((await response?.json().catch(() => undefined))?.detail ?? "The picture could not be changed.");
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
      try {
        const [voice] = (await navigator.mediaDevices.getUserMedia({ audio })).getAudioTracks();
        this.#own("voice", voice);
      } catch (error) {
        this.isTalking = false;
        this.#changed();
        throw error;
      }
    }
    // The button may have been let go while the browser asked.
    await this.#senders.voice?.replaceTrack(this.isTalking ? (this.own.voice ?? null) : null);
    this.#options.metadata.sendEphemeral("speaking", { on: this.isTalking });
    this.#changed();
  }

  /** Keeps a device for as long as this connection is wanted. */
  #own(name, track) {
    if (this.#isOver) return track.stop();
    this.own[name] = track;
    track.addEventListener("ended", () => {
      if (this.own[name] !== track) return;
      this.own[name] = undefined;
      if (name === "picture") this.show(undefined);
      else this.talk(false);
    });
  }

  /**
   * Sends a camera or the screen to the incident, or nothing any more.
   * @param {"camera" | "screen" | undefined} what
   */
  async show(what) {
    // What is shown goes on until there is something to take its place.
    const stream = what && (await openPicture(what));
    this.own.picture?.stop();
    this.own.picture = undefined;
    if (stream) this.#own("picture", stream.getVideoTracks()[0]);
    await this.#senders.picture?.replaceTrack(this.own.picture ?? null);
    this.#changed();
  }

  // MARK: The connection

  #prepare(connection) {
    const { metadata, sends } = this.#options;
    this.#selected.clear();
    this.placed = {};
    for (const slot of this.slots) slot.prepare(connection, new URLSearchParams(location.search).get("codec"));
    const voices = Array.from({ length: this.#voiceSlots }, () => connection.addTransceiver("audio", { direction: "recvonly" }));
    const small = this.slots.slice(1).flatMap((slot) => slot.stream.getAudioTracks());
    this.voices = new MediaStream([...small, ...voices.map((transceiver) => transceiver.receiver.track)]);
    if (sends) {
      const sendEncodings = [{ maxBitrate: maximumVoiceBitrate }];
      const voice = connection.addTransceiver("audio", { direction: "sendonly", sendEncodings }).sender;
      const picture = offerPicture(connection, "video", { names: Object.keys(ownSizes), ladder: ownSizes }).sender;
      this.#senders = { voice, picture };
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
    if (this.#isOver) return;
    for (const slot of this.slots) slot.measure(report);
    if (this.state === "connected") this.#service.fit(this.#options.events.sources);
    this.#changed();
  }

  #onNews = () => {
    clearTimeout(this.#placeTimer);
    this.#placeTimer = setTimeout(() => this.#learnPlaces(), placeDelay);
  };

  async #learnPlaces() {
    if (!this.peer || this.state !== "connected" || this.#isOver) return;
    for (const slot of this.#wishes.keys()) await this.#grant(slot).catch(() => {});
    const views = await this.#service.read();
    // Without an answer the line is gone for the moment: the next news asks again.
    if (views) this.#takePlaces(Object.fromEntries(Object.entries(views).map(([mid, { source }]) => [mid, source])));
  }

  #onView = ({ detail: view }) => {
    if (view.peer !== this.peer) return;
    this.#service.take(view);
    this.#changed();
  };

  #takePlaces(placed) {
    const before = this.placed;
    this.placed = placed;
    for (const slot of this.slots) {
      const { video } = slot.mids;
      if (before[video] !== placed[video]) slot.renew();
    }
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** Those that something comes from are first. */
function livelier(one, other) {
  return Number(other.state === "live") - Number(one.state === "live");
}

/** @param {"camera" | "screen"} what */
function openPicture(what) {
  if (what === "screen") return navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 15 } });
  return navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: 1280, height: 720 } });
}
