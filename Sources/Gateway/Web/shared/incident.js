/**
 * One incident as its journal tells it: what has happened is taken in event by event, what follows from it can be read here.
 * @module
 */

/** Events kept for the timeline; the journal has all. */
const maximumEvents = 4000;
/** Fixes kept of one caller or unit, for the line on the map. */
const maximumTrack = 500;
/** Marks of a fix that cannot be right. */
const wrongMarks = new Set(["impossible", "fromTheFuture"]);

/**
 * @typedef {{lat: number, lon: number, accuracy?: number, heading?: number, speed?: number, fixedAt: string, source?: string}} Fix
 * @typedef {object} Caller
 * @property {string} id
 * @property {string} [name]
 * @property {string} [phone]
 * @property {string} stage `requested`, `linkSent`, `opened`, `locationOK`, `cameraOK`, `connecting`, `live`, `paused`, `ended`,
 *   `declined`, `expired` or `failed`
 * @property {string} [reason] why it failed or was declined
 * @property {string} [detail]
 * @property {{stage: string, at: string}[]} stages every stage with its time
 * @property {Fix | undefined} fix the newest that can be right
 * @property {Fix[]} track
 * @property {Record<string, any>} device battery, charging, network, camera, torch, muted, silent, language and so on
 * @property {string} [deviceAt] when the device told it
 *
 * @typedef {object} Unit
 * @property {string} unit
 * @property {string} [name]
 * @property {string} [service]
 * @property {string} status
 * @property {string} statusSince
 * @property {boolean} isStoodDown
 * @property {Fix} [fix]
 * @property {string} [eta]
 */

/** Takes in what a `MetadataChannel` brings. Dispatches `change` at most once a frame, and `event` with every event. */
export class IncidentModel extends EventTarget {
  /** The incident's number. */
  id;
  state = "";
  /** @type {"P1" | "P2" | "P3" | "P4" | ""} */
  priority = "";
  type = "";
  /** @type {{lat?: number, lon?: number, radius?: number, text?: string} | undefined} */
  place;
  isExercise = false;
  openedAt = "";
  /** When somebody took it; undefined while it waits. */
  answeredAt;
  endedAt;
  outcome = "";
  mergedInto = "";
  /** Numbers of incidents that became part of this one. */
  absorbed = [];
  /** @type {Map<string, Caller>} */
  callers = new Map();
  /** @type {Map<string, Unit>} */
  units = new Map();
  /** Who works on it now. @type {Map<string, {account: string, role: string, name: string, since: string}>} */
  assignments = new Map();
  /** @type {Map<string, {link: string, role: string, name?: string, expires: string, delivery?: string, isRevoked: boolean}>} */
  links = new Map();
  /** Who is connected now. @type {{id: string, role: string, name: string, watching: boolean, speaking: boolean}[]} */
  people = [];
  /** Who watches, as the journal has it. @type {Map<string, {account: string, role: string, name: string}>} */
  watching = new Map();
  /** @type {{number: number, time: string, actor: any, text: string}[]} */
  notes = [];
  /** Answers to triage questions. @type {Record<string, string>} */
  triage = {};
  /** @type {{file: string, name: string, type: string, size: number, purpose: string, visibility?: string, time: string, actor: any}[]} */
  files = [];
  /** Streams by their names. @type {Map<string, Record<string, any>>} */
  sources = new Map();
  /** Accounts that see the picture clear. @type {Map<string, {name: string, time: string}>} */
  revealed = new Map();
  /** Commands to callers, oldest first, each with its answer. @type {{number: number, caller: string, command: string, argument?: string, status?: string, detail?: string}[]} */
  commands = [];
  /** Incidents that may be the same event. @type {Map<string, {other: string, metres: number, seconds: number}>} */
  suggestions = new Map();
  /** How the recording stands, as `media.recording` tells. @type {Record<string, any> | undefined} */
  recording;
  isHeld = false;
  /** What has happened, oldest first. @type {import("./metadata.js").IncidentEvent[]} */
  events = [];

  #channel;
  #isScheduled = false;

  /** @param {string} id @param {import("./metadata.js").MetadataChannel} channel of this incident */
  constructor(id, channel) {
    super();
    this.id = id;
    this.#channel = channel;
    for (const kind of [...Object.keys(this.#rules), ...ephemeralKinds]) channel.on(kind, (event) => this.#take(event));
    for (const kind of otherKinds) channel.on(kind, (event) => this.#take(event));
    channel.addEventListener("subscribed", ({ detail }) => this.#begin(detail));
    channel.addEventListener("state", () => this.#changed());
  }

  /** Whether everything that had happened when this page came has been read. */
  get isLoaded() {
    return this.#channel.start !== undefined && this.#channel.last >= this.#channel.start;
  }

  get isClosed() {
    return ["ended", "cancelled", "merged"].includes(this.state);
  }

  /** Whoever is live, else who came last. @returns {Caller | undefined} */
  get headline() {
    const all = [...this.callers.values()];
    return all.findLast((caller) => caller.stage === "live") ?? all.at(-1);
  }

  /** Where it is as well as is known: the caller's newest fix, else the place that staff set. @returns {Fix | undefined} */
  get point() {
    const fixes = [...this.callers.values()].map((caller) => caller.fix).filter(Boolean);
    const newest = fixes.toSorted((a, b) => Date.parse(a.fixedAt) - Date.parse(b.fixedAt)).at(-1);
    if (newest) return newest;
    const { lat, lon, radius } = this.place ?? {};
    return lat === undefined ? undefined : { lat, lon, accuracy: radius, fixedAt: this.openedAt, source: "staff" };
  }

  // MARK: Taking in

  /** What the snapshot says stands until the events have said it themselves. */
  #begin(snapshot) {
    if (!snapshot || this.events.length > 0) return;
    for (const name of ["state", "priority", "type", "place", "openedAt", "endedAt", "outcome", "mergedInto"]) {
      if (snapshot[name] !== undefined) this[name] = snapshot[name];
    }
    this.isExercise = snapshot.exercise ?? false;
    this.isHeld = snapshot.held ?? false;
    for (const { id, name, phone, stage, location } of snapshot.callers ?? []) {
      Object.assign(this.#caller(id), { name, phone, stage, fix: location });
    }
    this.#changed();
  }

  #take(event) {
    if (event.number !== undefined) {
      this.events.push(event);
      if (this.events.length > maximumEvents) this.events.shift();
    }
    this.#rules[event.kind]?.(event.payload, event);
    this.dispatchEvent(new CustomEvent("event", { detail: event }));
    this.#changed();
  }

  #changed() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.dispatchEvent(new Event("change"));
    });
  }

  /** @returns {Caller} */
  #caller(id) {
    let caller = this.callers.get(id);
    if (!caller) {
      caller = { id, stage: "requested", stages: [], fix: undefined, track: [], device: {} };
      this.callers.set(id, caller);
    }
    return caller;
  }

  /** @returns {Unit} */
  #unit(id, event) {
    let unit = this.units.get(id);
    if (!unit) {
      unit = { unit: id, status: "assigned", statusSince: event.time, isStoodDown: false };
      this.units.set(id, unit);
    }
    return unit;
  }

  #rules = {
    "incident.opened": (payload, { time }) => {
      this.openedAt = time;
      this.priority = payload.priority;
      this.type = payload.type ?? "";
      this.place = payload.place;
      this.isExercise = payload.exercise;
      this.state ||= "new";
    },
    "incident.state": ({ state, outcome }, { time }) => {
      this.state = state;
      if (state === "active") this.answeredAt ??= time;
      if (outcome) this.outcome = outcome;
      this.endedAt = this.isClosed ? time : undefined;
    },
    "incident.classified": ({ priority, type, place }) => {
      if (priority !== undefined) this.priority = priority;
      if (type !== undefined) this.type = type;
      if (place !== undefined) this.place = place;
    },
    "incident.mergeSuggested": (payload) => this.suggestions.set(payload.other, payload),
    "incident.merged": ({ into }, { time }) => {
      this.state = "merged";
      this.mergedInto = into;
      this.endedAt = time;
    },
    "incident.absorbed": ({ from, callers, also = [] }, { time }) => {
      this.absorbed.push(from, ...also);
      this.suggestions.delete(from);
      for (const { caller: id, name, phone, stage } of callers) {
        const caller = this.#caller(id);
        Object.assign(caller, { name, phone, stage });
        caller.stages.push({ stage, at: time });
      }
    },
    "assignment.added": (payload, { time }) => this.assignments.set(payload.account, { ...payload, since: time }),
    "assignment.removed": ({ account }) => this.assignments.delete(account),
    "unit.assigned": ({ unit, name, service }, event) => {
      const entry = this.#unit(unit, event);
      Object.assign(entry, { name, service, isStoodDown: false, status: "assigned", statusSince: event.time });
    },
    "unit.status": ({ unit, status }, event) => Object.assign(this.#unit(unit, event), { status, statusSince: event.time }),
    "unit.location": ({ unit, eta, ...fix }, event) => Object.assign(this.#unit(unit, event), { fix: { fixedAt: event.time, ...fix }, eta }),
    "unit.stoodDown": ({ unit }, event) => Object.assign(this.#unit(unit, event), { isStoodDown: true }),
    "caller.added": ({ caller: id, name, phone }) => Object.assign(this.#caller(id), { name, phone }),
    "caller.stage": ({ caller: id, stage, reason, detail }, { time }) => {
      const caller = this.#caller(id);
      Object.assign(caller, { stage, reason, detail });
      caller.stages.push({ stage, at: time });
    },
    "caller.device": ({ caller: id, ...device }, { time }) => {
      const caller = this.#caller(id);
      Object.assign(caller.device, device);
      caller.deviceAt = time;
    },
    location: ({ caller: id, ...fix }, { time }) => {
      const caller = this.#caller(id);
      fix.fixedAt ??= time;
      if (fix.marks?.some((mark) => wrongMarks.has(mark))) return;
      caller.track.push(fix);
      if (caller.track.length > maximumTrack) caller.track.shift();
      if (!caller.fix || Date.parse(fix.fixedAt) >= Date.parse(caller.fix.fixedAt)) caller.fix = fix;
    },
    command: ({ caller, command, argument }, { number, time, actor }) =>
      this.commands.push({ number, time, actor, caller, command, argument }),
    "command.result": ({ command, status, detail }) => {
      const asked = this.commands.find(({ number }) => number === command);
      if (asked) Object.assign(asked, { status, detail });
    },
    "link.created": (payload) => this.links.set(payload.link, { ...payload, isRevoked: false }),
    "link.sent": ({ link, by, to }) => Object.assign(this.links.get(link) ?? {}, { by, to, delivery: "sent" }),
    "link.delivery": ({ link, state, detail }) => Object.assign(this.links.get(link) ?? {}, { delivery: state, detail }),
    "link.revoked": ({ link }) => Object.assign(this.links.get(link) ?? {}, { isRevoked: true }),
    note: ({ text }, { number, time, actor }) => this.notes.push({ number, time, actor, text }),
    triage: ({ fields }) => Object.assign(this.triage, fields),
    "file.added": (payload, { time, actor }) => this.files.push({ ...payload, time, actor }),
    "media.source": (payload) => {
      if (payload.state === "ended") this.sources.delete(payload.source);
      else this.sources.set(payload.source, payload);
    },
    "media.watching": (payload) => {
      if (payload.on) this.watching.set(payload.account, payload);
      else this.watching.delete(payload.account);
    },
    "media.revealed": ({ on }, { time, actor }) => {
      if (on) this.revealed.set(actor.id, { name: actor.name, time });
      else this.revealed.delete(actor.id);
    },
    "media.recording": (payload) => {
      this.recording = payload;
    },
    "retention.hold": (payload) => {
      this.isHeld = payload.held;
    },
    presence: ({ people }) => {
      this.people = people;
    },
  };
}

/** What is passed on and not kept, besides what has a rule. */
const ephemeralKinds = ["speaking", "typing", "text.live"];
/** What only the timeline shows. */
const otherKinds = [
  "chat", "chat.delivered", "chat.read", "file.rejected", "snapshot.taken", "replay.opened", "export.requested",
  "export.decided", "export.finished", "retention.deleted", "media.view",
];
