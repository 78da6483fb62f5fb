/**
 * One incident on the responder's page: everything of it, from the first news to the stand-down.
 * @module
 */

import { Chat } from "../shared/chat.js";
import { build, element, setText } from "../shared/dom.js";
import { IncidentEvents } from "../shared/events.js";
import { icon } from "../shared/icons.js";
import { IncidentModel } from "../shared/incident.js";
import { LivePeer } from "../shared/live.js";
import { IncidentMap } from "../shared/map.js";
import { MetadataChannel } from "../shared/metadata.js";
import { priorityMark } from "../shared/priority.js";
import { clock, secondsSince } from "../shared/times.js";
import { Files } from "./files.js";
import { Notes } from "./notes.js";
import { Picture } from "./picture.js";
import { Position } from "./position.js";
import { StatusStrip } from "./status.js";
import { Tabs } from "./tabs.js";
import { Talk } from "./talk.js";
import { addresses, farewells } from "./words.js";

/** Reasons of our own peer's end after which another one would not be let in. */
const finalReason = /^(you no longer belong|merged into (\S+))/;

/** The page with one incident. */
export class Desk {
  #shell;
  #incident;
  #incidents;
  #unit;
  #metadata;
  #events;
  #model;
  #live;
  #picture;
  #statuses;
  #talk;
  #position;
  #tabs;
  #map;
  #chat;
  #panels;
  /** Why one is here no longer. @type {string[] | undefined} */
  #farewell;
  #wakeLock;

  /**
   * @param {import("../shared/shell.js").Shell} shell
   * @param {string} incident
   * @param {import("./incidents.js").Incidents} incidents
   */
  constructor(shell, incident, incidents) {
    const { session, toast } = shell;
    this.#shell = shell;
    this.#incident = incident;
    this.#incidents = incidents;
    this.#unit = session.person.account?.unit;
    const metadata = (this.#metadata = new MetadataChannel(incident));
    const events = (this.#events = new IncidentEvents(session.token, metadata));
    this.#model = new IncidentModel(incident, metadata);
    const live = (this.#live = new LivePeer({ session, incident, metadata, events, pictures: 2, sends: true }));
    element("desk").hidden = false;
    // What it is about stands in the page's bar: a phone has no height to give away.
    document.querySelector("header.bar .bar-name").after(element("headline"));
    document.body.toggleAttribute("data-desk", true);
    this.#picture = new Picture({ live, events, metadata, toast, name: session.person.name });
    this.#statuses = new StatusStrip({ metadata, toast, unit: this.#unit });
    this.#talk = new Talk(element("talk"), { live, metadata, toast, self: () => session.person.id });
    this.#position = new Position({ metadata, unit: this.#unit, isOnIt: () => this.#statuses.isOnIt });
    this.#tabs = new Tabs(document.querySelector(".panels"));
    this.#map = new IncidentMap(element("map"), { service: shell.service, session });
    this.#chat = new Chat(element("chat"), metadata, () => session.person.id, () => this.#tabs.selected === "chat");
    this.#panels = [new Notes(element("panel-notes"), metadata), new Files(element("panel-files"), session, incident)];
    this.#listen();
    this.#addKeys();
  }

  async start() {
    element("back").href = addresses.list(this.#shell.session);
    element("back").append(icon("back"));
    this.#events.open();
    this.#position.resume();
    this.#keepAwake();
    setInterval(() => this.#renderTime(), 1000);
    this.#render();
    await this.#live.start();
  }

  // MARK: News

  #listen() {
    const { session } = this.#shell;
    this.#model.addEventListener("change", () => this.#render());
    this.#model.addEventListener("event", ({ detail }) => this.#onEvent(detail));
    this.#metadata.addEventListener("state", () => this.#onState());
    this.#events.addEventListener("refused", ({ detail }) => this.#end(farewells.refused(detail.text)));
    this.#events.addEventListener("peerClosed", ({ detail: peer }) => this.#onPeerClosed(peer));
    this.#live.addEventListener("change", () => this.#onLine());
    this.#position.addEventListener("change", () => this.#renderMap());
    this.#tabs.addEventListener("change", () => [this.#chat?.look(), this.#renderTabs()]);
    this.#chat.addEventListener("change", () => this.#renderTabs());
    this.#incidents.addEventListener("change", () => this.#renderUrgent());
    // Sending leaves the focus, and a phone's keyboard, where they are.
    document.querySelector(".panels").addEventListener("mousedown", (event) => event.target.closest("form button") && event.preventDefault());
    session.addEventListener("unlocked", () => location.reload());
    addEventListener("pagehide", () => this.#live.stop());
    addEventListener("pageshow", (event) => event.persisted && location.reload());
    document.addEventListener("visibilitychange", () => !document.hidden && this.#keepAwake());
  }

  #onEvent({ kind, payload, number }) {
    if (!(number > this.#metadata.start)) return;
    if (kind === "unit.stoodDown" && payload.unit === this.#unit) this.#end(farewells.stoodDown);
    if (kind === "incident.state" && ["ended", "cancelled"].includes(payload.state)) this.#end(farewells.over);
    if (kind === "incident.merged") this.#end(farewells.merged(payload.into), payload.into);
  }

  #onState() {
    if (this.#metadata.state === "lost") return this.#endOfRight();
    this.#shell.state(this.#metadata.state === "waiting" ? "" : this.#metadata.words);
    this.#position.report();
  }

  #onPeerClosed({ id, reason = "" }) {
    const [isFinal, , into] = id === this.#live.peer ? (reason.match(finalReason) ?? []) : [];
    if (isFinal) into ? this.#end(farewells.merged(into), into) : this.#endOfRight();
  }

  #onLine() {
    const { state, error } = this.#live;
    if (state === "failed" && error?.status === 403) this.#endOfRight();
    if (state === "failed" && error?.status === 404) this.#end(farewells.refused(error.message));
  }

  /** The service lets us in no longer: what has happened to the unit says why. */
  #endOfRight() {
    const wasOnIt = this.#unit && this.#model.units.has(this.#unit);
    if (this.#statuses.hasLeft) this.#end(farewells.available);
    else if (this.#model.isClosed) this.#end(farewells.over);
    else this.#end(wasOnIt ? farewells.stoodDown : this.#metadata.snapshot ? farewells.lost : farewells.refused(this.#metadata.reason || farewells.lost[1]));
  }

  /** Ends everything, and says why. @param {string[]} farewell @param {string} [goesOnAs] */
  #end(farewell, goesOnAs) {
    if (this.#farewell) return;
    if (farewell === farewells.stoodDown && this.#statuses.hasLeft) farewell = farewells.available;
    this.#farewell = farewell;
    this.#talk.lock(false);
    this.#live.leave();
    this.#events.close();
    this.#metadata.lose(farewell[1]);
    this.#position.stop(false);
    this.#wakeLock?.release();
    this.#shell.state("");
    element("picture").srcObject = element("voices").srcObject = null;
    element("desk").hidden = element("headline").hidden = true;
    document.body.toggleAttribute("data-desk", false);
    element("farewell").hidden = false;
    setText(element("farewell-title"), farewell[0]);
    setText(element("farewell-text"), farewell[1]);
    element("all-incidents").href = addresses.list(this.#shell.session);
    element("farewell-title").focus();
    this.#renderNext(goesOnAs);
    this.#incidents.addEventListener("change", () => this.#renderNext(goesOnAs));
  }

  // MARK: Showing

  #render() {
    if (this.#farewell) return;
    const { priority, type, isExercise, isLoaded, isClosed, mergedInto } = this.#model;
    if (isLoaded && isClosed) return this.#end(mergedInto ? farewells.merged(mergedInto) : farewells.over, mergedInto);
    const title = `${priority} ${type} ${isExercise}`;
    if (element("title").dataset.value !== title) {
      element("title").dataset.value = title;
      element("title").replaceChildren(
        ...(priority ? [priorityMark(priority)] : []), ...(isExercise ? [build("span", { class: "exercise-mark" }, "EXERCISE")] : []),
        build("span", { class: "type" }, type || `Incident ${this.#incident}`));
    }
    this.#renderTime();
    this.#statuses.update(this.#model);
    for (const panel of this.#panels) panel.update(this.#model);
    this.#position.report();
    this.#position.render();
    this.#renderMap();
    this.#renderUrgent();
  }

  #renderTime() {
    const { openedAt } = this.#model;
    setText(element("since"), openedAt ? clock(secondsSince(openedAt)) : "");
    element("title").title = `Incident ${this.#incident}`;
  }

  #renderMap() {
    this.#map.update(this.#model, { own: this.#position.fix, ownUnit: this.#unit });
  }

  #renderTabs() {
    const unread = this.#tabs.selected === "chat" ? 0 : this.#chat.unread.length;
    setText(element("tab-chat"), unread > 0 ? `Text (${unread})` : "Text");
  }

  /** Another incident of one's own is more urgent than this one. */
  #renderUrgent() {
    const [first] = this.#incidents.mine;
    const line = element("urgent");
    const isOther = first && first.id !== this.#incident && (this.#model.priority || "P4") > first.priority;
    line.hidden = !isOther;
    if (!isOther || line.dataset.incident === first.id) return;
    line.dataset.incident = first.id;
    line.replaceChildren(
      priorityMark(first.priority), build("span", {}, `${first.type || "Another incident"} needs you`),
      build("a", { href: addresses.incident(this.#shell.session, first.id) }, "Open"));
  }

  #renderNext(goesOnAs) {
    const next = goesOnAs ? { id: goesOnAs } : this.#incidents.mine.find(({ id }) => id !== this.#incident);
    const link = element("next-incident");
    link.hidden = !next;
    if (!next) return;
    link.href = addresses.incident(this.#shell.session, next.id);
    link.replaceChildren(
      ...(next.priority ? [priorityMark(next.priority)] : []), build("span", {}, `Open ${next.type || next.id}`));
  }

  /** The screen stays on while the page is looked at. */
  async #keepAwake() {
    if (this.#farewell) return;
    try {
      this.#wakeLock = await navigator.wakeLock?.request("screen");
    } catch {
      // Low battery or a browser without it: the screen follows the device.
    }
  }

  #addKeys() {
    const tab = (name) => () => {
      this.#tabs.select(element(`tab-${name}`));
      element({ chat: "chat-text", notes: "note-text" }[name] ?? `tab-${name}`).focus();
    };
    const when = () => !this.#farewell;
    const keys = [
      ["r", "Reveal or hide the picture", () => this.#picture.reveal(!this.#picture.isRevealed)],
      ["s", "Sound on or off", () => this.#picture.sound(!this.#picture.isHeard)],
      ["x", "Other picture", () => this.#picture.swap()],
      ["v", "Share my camera, or stop it", () => this.#picture.share(!this.#live.own.picture)],
      ["l", "Keep talking, or stop", () => this.#talk.lock(!this.#talk.isLocked)],
      ["m", "Map", tab("map")], ["c", "Write a text", tab("chat")], ["n", "Write a note", tab("notes")], ["f", "Files", tab("files")],
      ...[0, 1, 2, 3].map((place) => [String(place + 1), `Status button ${place + 1}`, () => this.#statuses.press(place)]),
      ["u", "Undo the status", () => element("undo")?.click()],
    ];
    // The talk button listens by itself, since it has to know when the key is let go.
    this.#shell.shortcuts.add({ key: " ", words: "Talk, while it is held", action: () => {}, when: () => false });
    for (const [key, words, action] of keys) this.#shell.shortcuts.add({ key, words, action, when });
  }

  /** For tests. */
  get facts() {
    const [slot, second] = this.#live.slots;
    const lineState = this.#live.state;
    return {
      state: lineState === "connected" ? slot.state : lineState,
      line: lineState, slots: [slot.state, second.state], stats: structuredClone(slot.figures),
      counters: this.#live.counters, placed: { ...this.#live.placed },
      isRevealed: this.#picture.isRevealed, isHeard: this.#picture.isHeard, watermark: this.#picture.watermark,
      status: this.#statuses.status, isOnIt: this.#statuses.isOnIt,
      isTalking: this.#live.isTalking, speakers: this.#talk.speakers,
      position: structuredClone(this.#position.fix), positionsSent: this.#position.sent,
      ground: this.#map.ground, places: this.#map.places.map(({ key, words }) => [key, words]),
      messages: structuredClone(this.#chat.messages), farewell: this.#farewell?.[0] ?? "",
      metadata: { state: this.#metadata.state, carriers: this.#metadata.carriers, last: this.#metadata.last },
      isSending: { voice: Boolean(this.#live.own.voice), picture: Boolean(this.#live.own.picture) },
    };
  }
}
