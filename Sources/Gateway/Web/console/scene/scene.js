/**
 * The operator's scene: the pictures of one incident and what is done with them.
 * @module
 */

import { build, setState, setText } from "../../shared/dom.js";
import { LivePeer } from "../../shared/live.js";
import { Asks } from "./asks.js";
import { Guidance } from "./guidance.js";
import { Health } from "./health.js";
import { Looks } from "./looks.js";
import { Outgoing } from "./outgoing.js";
import { Snapshot } from "./snapshot.js";
import { Stage } from "./stage.js";
import { pictureState } from "./state.js";
import { Strip } from "./strip.js";
import { parts, picture as words } from "./words.js";

const [pictures, voices] = [4, 3];
/** Milliseconds that the journal may take to say whether the incident is over, before the line is opened anyway. */
const patience = 1000;

/** What the roles may do here; the service holds them to it (Sources/Incidents/PermissionTable.swift). */
const rights = {
  publish: ["operator", "supervisor", "trainer"],
  command: ["operator", "supervisor", "trainer"],
  reveal: ["operator", "dispatcher", "supervisor", "trainer"],
  snapshot: ["operator", "dispatcher", "supervisor", "trainer"],
};

export class Scene {
  #session;
  #root;
  #looks = new Looks();
  #stage = new Stage(this.#looks);
  #strip = new Strip((actor) => this.#enlarge(actor));
  #health = new Health();
  #asks = new Asks();
  #outgoing = new Outgoing();
  #snapshot;
  #guidance;
  #note = build("p", { class: "scene-note", role: "status" });
  #empty = build("p", { class: "scene-empty" }, "No incident is open. Choose one in the queue.");
  #body;

  /** The incident that is open. @type {{model: any, channel: any, events: any, ends: AbortController} | undefined} */
  #open;
  /** @type {LivePeer | undefined} */
  #live;
  #farewell = "";
  #hadCaller = false;
  /** In the order in which they first sent a picture, so that each keeps their key. @type {string[]} */
  #order = [];
  #noteTimer;

  /**
   * @param {HTMLElement} root
   * @param {import("../../shared/shell.js").Shell} shell
   */
  constructor(root, shell) {
    this.#root = root;
    this.#session = shell.session;
    this.#snapshot = new Snapshot(shell.session);
    this.#guidance = new Guidance(shell.session, { say: (text) => this.#say(text) });
    this.#build();
    this.#looks.addEventListener("change", () => this.#render());
    this.#looks.addEventListener("problem", ({ detail }) => this.#say(`The journal was not told: ${detail}`));
    this.#stage.addEventListener("change", () => this.#render());
    this.#stage.addEventListener("reveal", () => this.#reveal());
    this.#guidance.addEventListener("change", () => this.#render());
    addEventListener("pagehide", () => this.close());
    // A page that comes back from the browser's memory has let go of everything.
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
    Object.defineProperty(root, "sightline", { value: this.#facts });
  }

  #may(what) {
    return rights[what].includes(this.#session.person.role);
  }

  #build() {
    const acts = build(
      "div", { class: "tools", role: "group", "aria-label": "Act" },
      this.#may("command") && this.#guidance.button, this.#may("publish") && this.#outgoing.element, this.#may("snapshot") && this.#snapshot.element);
    this.#stage.element.append(this.#outgoing.preview);
    this.#body = build(
      "div", { class: "scene-body", hidden: true },
      build("div", { class: "scene-pictures" }, this.#stage.element, this.#strip.element),
      this.#health.element, build("div", { class: "scene-tools" }, this.#stage.controls, acts, this.#may("command") && this.#asks.element),
      this.#note, this.#may("command") && this.#guidance.element);
    this.#root.classList.add("scene");
    this.#root.append(this.#empty, this.#body);
  }

  // MARK: One incident after the other

  /**
   * @param {{model: import("../../shared/incident.js").IncidentModel,
   *   channel: import("../../shared/metadata.js").MetadataChannel, events: import("../../shared/events.js").IncidentEvents}} incident
   */
  open({ model, channel, events }) {
    this.close();
    const ends = new AbortController();
    this.#open = { model, channel, events, ends };
    const on = (target, type, act) => target.addEventListener(type, act, { signal: ends.signal });
    this.#empty.hidden = true;
    this.#body.hidden = false;
    this.#looks.open(channel);
    this.#stage.open({ incident: model.id, token: this.#session.token });
    this.#health.open(() => this.#live?.slots[0]);
    this.#asks.open({ model, channel });
    this.#guidance.open({ model, channel });
    const isClear = () => this.#looks.isClear(this.#large.peer?.actor);
    this.#snapshot.open({ incident: model.id, source: () => this.#large.source?.id, isClear });
    on(events, "change", () => this.#render());
    on(events, "refused", ({ detail }) => this.#end(detail.text));
    on(events, "peerClosed", ({ detail }) => this.#onPeerClosed(detail));
    on(channel, "state", () => channel.state === "lost" && this.#end(channel.reason || words.lost));
    on(model, "change", () => this.#onJournal());
    this.#connectSoon();
    this.#render();
  }

  /** Stops watching and sending; what was clear is hidden again. */
  close() {
    if (!this.#open) return;
    const { ends } = this.#open;
    this.#looks.close();
    ends.abort();
    this.#open = undefined;
    this.#live?.stop();
    this.#live = undefined;
    for (const part of [this.#outgoing, this.#stage, this.#strip, this.#health, this.#asks, this.#guidance, this.#snapshot]) part.close();
    this.#farewell = "";
    this.#hadCaller = false;
    this.#order = [];
    this.#say("");
    this.#body.hidden = true;
    this.#empty.hidden = false;
  }

  /** At once, unless the first word of the service is that the incident is over. */
  #connectSoon() {
    const opened = this.#open;
    const { channel, ends } = opened;
    const start = () => {
      clearTimeout(timer);
      const isOver = ["ended", "cancelled", "merged"].includes(channel.snapshot?.state);
      if (this.#open === opened && !this.#live && !isOver && !this.#farewell) this.#connect();
    };
    const timer = setTimeout(start, patience);
    if (channel.snapshot) start();
    else channel.addEventListener("subscribed", start, { once: true, signal: ends.signal });
  }

  #connect() {
    const { model, channel, events } = this.#open;
    const sends = this.#may("publish");
    const live = new LivePeer({ session: this.#session, incident: model.id, metadata: channel, events, pictures, voices, sends });
    this.#live = live;
    live.addEventListener("change", () => {
      if (this.#live !== live) return;
      this.#health.note(live.slots[0].figures);
      this.#render();
    });
    this.#outgoing.open(sends ? live : undefined);
    live.start().catch((error) => this.#end(error.message));
  }

  /** The right to be here, or the incident, is gone: says so and lets go. */
  #end(text) {
    this.#farewell ||= text;
    this.#letGo();
    this.#render();
  }

  #letGo() {
    this.#stage.lookBack?.live();
    this.#live?.leave();
    this.#live = undefined;
    this.#outgoing.open(undefined);
  }

  #onPeerClosed({ id, reason = "" }) {
    if (id !== this.#live?.peer) return;
    const [, into] = reason.match(/^merged into (\S+)/) ?? [];
    if (into) this.#end(words.merged(into));
    else if (reason.startsWith("you no longer belong")) this.#end(words.lost);
  }

  #onJournal() {
    const { model } = this.#open;
    if (model.isClosed && this.#live && model.isLoaded) this.#letGo();
    // Somebody has opened it again.
    if (!model.isClosed && model.isLoaded && !this.#live && !this.#farewell) this.#connect();
    this.#render();
  }

  // MARK: Who sends

  /** The large picture's source and peer. */
  get #large() {
    return this.#live?.whoIsOn(this.#live.slots[0]) ?? {};
  }

  /** Everybody else who sends a picture. @returns {import("./strip.js").Sender[]} */
  get #senders() {
    const { events } = this.#open;
    const slots = new Map((this.#live?.slots ?? []).map((slot) => [this.#live.whoIsOn(slot).peer?.actor, slot]));
    const large = this.#large.peer?.actor;
    const found = new Map();
    for (const source of events.sourcesOf("video")) {
      const peer = events.peers.get(source.peer);
      const isOwn = peer?.id === this.#live?.peer;
      // Staff offer a place for a picture with every connection: it counts once something comes.
      if (!peer || isOwn || (source.state === "waiting" && peer.part !== "caller")) continue;
      if (found.get(peer.actor)?.state === "live") continue;
      found.set(peer.actor, {
        actor: peer.actor, name: this.#nameOf(peer), part: parts[peer.part] ?? "", state: source.state, slot: slots.get(peer.actor),
        isLarge: peer.actor === large, isClear: this.#looks.isClear(peer.actor),
      });
    }
    for (const actor of found.keys()) if (!this.#order.includes(actor)) this.#order.push(actor);
    return this.#order.map((actor) => found.get(actor)).filter(Boolean);
  }

  #nameOf(peer) {
    const { name, phone } = this.#open.model.callers.get(peer.actor) ?? {};
    return name ?? phone ?? peer.name;
  }

  async #enlarge(actor) {
    if (!this.#live || actor === undefined) return;
    this.#stage.lookBack?.live();
    try {
      await this.#live.follow(this.#live.slots[0], actor);
    } catch (error) {
      this.#say(error.message);
    }
  }

  #reveal() {
    const { source, peer } = this.#large;
    if (!peer || !this.#may("reveal")) return;
    const on = !this.#looks.isClear(peer.actor);
    this.#looks.reveal(on, peer.actor, source?.id);
    // Who is looked at stays, whoever else comes.
    if (on) this.#enlarge(peer.actor);
  }

  // MARK: Showing

  #render() {
    if (!this.#open) return;
    const { model, events } = this.#open;
    const senders = this.#senders;
    const { peer } = this.#large;
    const live = this.#live;
    this.#hadCaller ||= senders.some(({ part }) => part === parts.caller);
    const state = pictureState({ farewell: this.#farewell, live, events, model, hadCaller: this.#hadCaller });
    this.#stage.place = Math.max(0, senders.findIndex(({ isLarge }) => isLarge));
    this.#stage.render({
      state, live, actor: peer?.actor, isClear: this.#looks.isClear(peer?.actor), mayReveal: this.#may("reveal"),
      label: peer ? labelOf(this.#nameOf(peer), parts[peer.part]) : "", delay: this.#health.delay,
    });
    this.#strip.render(senders, this.#looks);
    const caller = this.#caller;
    this.#asks.render({ caller });
    this.#guidance.render({ caller, sharing: this.#outgoing.sharing });
    this.#outgoing.render();
    setState(this.#body, "data-guiding", !this.#guidance.element.hidden);
    this.#snapshot.render(state.kind === "live" || state.kind === "stale");
    this.#state = state;
  }

  #state = { kind: "waiting", text: "" };

  /** Whom commands are for: whose picture is large, if that is a caller's, else whoever is live. */
  get #caller() {
    const { model } = this.#open;
    if (model.isClosed || this.#farewell) return undefined;
    const { peer } = this.#large;
    if (peer && model.callers.has(peer.actor)) return peer.actor;
    return model.headline?.id;
  }

  #say(text) {
    clearTimeout(this.#noteTimer);
    setText(this.#note, text);
    if (text) this.#noteTimer = setTimeout(() => setText(this.#note, ""), 8000);
  }

  // MARK: Keys

  /** @returns {import("../../shared/keys.js").Shortcut[]} */
  get shortcuts() {
    const when = () => this.#open !== undefined;
    const may = (what) => () => when() && this.#may(what);
    const look = (name) => () => this.#looks.toggle(name);
    const asked = (key, what, name) => ({ key, words: what, when: may("command"), action: () => this.#asks[name]() });
    return [
      { key: "r", words: "Reveal or hide the picture", when: may("reveal"), action: () => this.#reveal() },
      { key: "m", words: "Picture in grey", when, action: look("isMonochrome") },
      { key: "s", words: "Stills only", when, action: look("isStills") },
      { key: "a", words: "Sound", when, action: () => this.#stage.toggleSound() },
      { key: "f", words: "Full screen", when, action: () => this.#stage.toggleFull() },
      { key: "arrowleft", words: "30 seconds back", when, action: () => this.#stage.back() },
      { key: "l", words: "Live again", when, action: () => this.#stage.lookBack?.live() },
      { key: "x", words: "Snapshot", when: may("snapshot"), action: () => this.#snapshot.take() },
      { key: "g", words: "Guide the caller", when: may("command"), action: () => this.#guidance.toggle() },
      { key: " ", words: "Talk while held", when: may("publish"), action: () => this.#outgoing.hold() },
      { key: "t", words: "Talk, or no longer", when: may("publish"), action: () => this.#outgoing.toggleTalk() },
      { key: "v", words: "Share screen or camera, or no longer", when: may("publish"), action: () => this.#outgoing.share() },
      ...[1, 2, 3, 4].map((number) => ({
        key: String(number), words: `Enlarge picture ${number}`, when: () => when() && this.#senders.length >= Math.max(2, number),
        action: () => this.#enlarge(this.#senders[number - 1]?.actor),
      })),
      asked("shift+c", "Caller: switch the camera", "flip"), asked("shift+t", "Caller: torch", "torch"),
      asked("shift+m", "Caller: mute or unmute", "mute"), asked("shift+p", "Caller: sharp photo", "photo"),
      asked("shift+l", "Caller: ask for the location", "locate"),
    ];
  }

  /** What tests may look at. */
  get #facts() {
    const scene = this;
    return Object.freeze({
      get state() { return scene.#state; },
      get problem() { return scene.#stage.problemText; },
      get views() { return scene.#live?.slots.map((slot) => structuredClone(slot.view)) ?? []; },
      get cover() { return scene.#stage.coverText; },
      get mode() { return scene.#stage.picture.mode; },
      get clear() { return scene.#looks.clear; },
      get connection() { return scene.#live?.state ?? "idle"; },
      get counters() { return scene.#live?.counters; },
      get peer() { return scene.#live?.peer; },
      get large() { return scene.#large.peer?.actor; },
      get senders() { return scene.#open ? scene.#senders.map(({ slot, ...rest }) => ({ ...rest, isShown: slot !== undefined })) : []; },
      get slots() { return scene.#live?.slots.map((slot) => slot.state) ?? []; },
      get figures() { return structuredClone(scene.#live?.slots[0].figures ?? {}); },
      get health() { return structuredClone(scene.#health.samples); },
      get isTalking() { return scene.#live?.isTalking ?? false; },
      get sharing() { return scene.#outgoing.sharing; },
      get isBlocked() { return scene.#stage.isBlocked; },
      get snapshot() { return structuredClone(scene.#snapshot.last); },
      get stillAge() { return scene.#stage.picture.stillAge; },
      get lookBack() {
        const { isActive, behind, problem } = scene.#stage.lookBack ?? {};
        return { isActive, behind, problem };
      },
    });
  }
}

/** A name and what they are, unless the name says so. */
function labelOf(name, part = "") {
  return part === "" || name.toLowerCase().includes(part) ? name : `${name}, ${part}`;
}
