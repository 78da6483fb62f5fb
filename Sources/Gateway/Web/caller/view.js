/**
 * Writes the state of the caller's page into it, in the language that is in force.
 * @module
 */

import { clock } from "../shared/times.js";
import { setSource, setText } from "../shared/dom.js";
import { language } from "./language.js";
import { silence } from "./silence.js";

const element = (id) => document.getElementById(id);
const views = ["start", "live", "plain", "problem", "ended"];
/** What each obstacle leaves: which buttons make sense, the best one first. */
const offers = {
  refused: ["retry-sound", "retry-text", "retry"],
  missing: ["retry-sound", "retry-text", "retry"],
  busy: ["retry", "retry-sound", "retry-text"],
  failed: ["retry", "retry-sound", "retry-text"],
  noSound: ["retry-text", "retry"],
  noCall: ["retry", "retry-text"],
  insecure: ["retry-text"],
  unsupported: ["retry-text"],
};

/** What the page consists of: see page.js. */
export class View {
  #parts;

  /**
   * @param {object} parts
   * @param {import("./page.js").PageState} parts.state
   * @param {import("../shared/metadata.js").MetadataChannel} parts.metadata
   * @param {import("../shared/events.js").IncidentEvents} parts.events
   * @param {import("../shared/chat.js").Chat} parts.chat
   * @param {import("./cards.js").Cards} parts.cards
   * @param {import("./location.js").LocationReporter} parts.place
   * @param {import("./photos.js").Photos} parts.photos
   * @param {import("./buffer.js").LineBuffer} parts.buffer
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Once it is called for every change; equal texts are left alone, so that screen readers hear only news. */
  render() {
    const { state, events, chat, cards, photos, buffer } = this.#parts;
    const { words } = language;
    document.body.dataset.view = state.view;
    for (const name of views) element(name).hidden = name !== state.view;
    element("foot").hidden = state.view === "live" || state.view === "plain";
    element("hide-start").hidden = state.view !== "start";
    const isChatOpen = !element("chat").hidden;
    cards.moveTo(element(state.view === "plain" ? "plain-cards" : isChatOpen ? "chat-cards" : "live-cards"));
    write("start-text", words.textOnly(chat.unread.length));
    if (events.isRecorded) element("is-recorded").hidden = false;
    write("late-ended", words.late[buffer.state]);
    for (const id of ["photo-state", "photo-ended"]) write(id, words.photo[photos.state]);
    element("chat-stop").hidden = state.view === "live" ? false : state.view !== "plain";
    element("chat-close").hidden = state.view === "plain";
    setSource(element("voices"), state.call?.voices ?? null);
    element("voices").muted = silence.isOn;
    if (state.view === "problem") this.#renderProblem();
    if (state.view === "ended") write("ended-title", words[state.end]);
    if (state.view === "plain") this.#renderPlain();
    if (state.view === "live") this.#renderLive();
  }

  // MARK: Live

  #renderLive() {
    const { state, events, buffer } = this.#parts;
    const { words } = language;
    const { call } = state;
    const line = call.connection.state;
    Object.assign(element("live").dataset, { state: line, facing: call.facing });
    write("state-words", stateWords(call));
    write("timer", line === "connected" ? clock(secondsSince(state.liveSince)) : "");
    element("recorded").hidden = !events.isRecorded;
    writeNote("late", words.late[buffer.state]);
    writeNote("hint", this.#hint());
    writeNote("watching", this.#watching());
    element("camera-lost").hidden = !call.isCameraLost && !call.isScreenShown;
    write("camera-lost-words", call.isScreenShown ? words.screenShown : words.cameraLost);
    write("camera-back", call.isScreenShown ? words.hideScreen : words.cameraBack);
    this.#renderTools();
    this.#renderMessage();
    setSource(element("preview"), call.camera ? call.stream : null);
    element("preview").hidden = !call.camera;
    setSource(element("theirs"), call.theirs);
    element("theirs").hidden = !call.isShown;
    element("live").toggleAttribute("data-theirs", call.isShown);
  }

  #watching() {
    const { state, events } = this.#parts;
    const { words } = language;
    if (state.people.length > 0) return words.watching(language.list(state.people));
    if (!events.isConnected) return "";
    const names = events.watchers.filter((peer) => peer.state === "connected").map((peer) => peer.name);
    return names.length > 0 ? words.watching([...new Set(names)].join(language.comma)) : words.nobodyWatching;
  }

  #hint() {
    const { state, place } = this.#parts;
    const { words } = language;
    if (state.isDeaf) return words.tapToHear;
    if (state.call.isMuted) return words.microphoneOff;
    if (!state.call.camera) return words.onlySound;
    if (!state.call.microphone) return words.noMicrophone;
    if (place.state === "refused" || place.state === "unavailable") return words.placeRefusedLive;
    return "";
  }

  #renderTools() {
    const { call } = this.#parts.state;
    element("use-camera").hidden = call.camera !== undefined;
    element("microphone").hidden = !call.microphone;
    element("microphone").setAttribute("aria-pressed", String(call.isMuted));
    element("torch").hidden = !call.hasTorch;
    element("torch").setAttribute("aria-pressed", String(call.isTorchOn));
  }

  /** The newest message that has not been seen stands beside the picture; a tap opens the conversation. */
  #renderMessage() {
    const { chat } = this.#parts;
    const { words } = language;
    const isOpen = !element("chat").hidden;
    write("text-words", words.text(chat.unread.length));
    element("text").setAttribute("aria-expanded", String(isOpen));
    const newest = isOpen ? undefined : chat.unread.at(-1);
    element("message").hidden = !newest;
    if (newest) write("message", words.message(language.who(newest.name, newest.role), newest.text));
  }

  // MARK: The other views

  #renderPlain() {
    const { words } = language;
    const { place: { state }, metadata, state: { since } } = this.#parts;
    const line = {
      waiting: words.connecting(Math.floor(secondsSince(since))), connected: words.plainTitle, reconnecting: words.reconnecting,
    };
    write("plain-title", line[metadata.state] ?? "");
    const isLost = state === "refused" || state === "unavailable";
    const place = { off: words.placeOff, asking: words.placeAsking, watching: words.placeKnown };
    write("plain-place", isLost ? words.placeRefused : place[state]);
    write("plain-watching", this.#watching());
    element("plain-locate").hidden = state !== "off" && state !== "refused";
  }

  #renderProblem() {
    const { problem } = this.#parts.state;
    const { words } = language;
    const { title, text } = words.refusals[problem] ?? words.obstacles[problem] ?? words.obstacles.failed;
    write("problem-title", title);
    write("problem-text", problem === "refused" ? howToAllow(words.allowCamera) : text);
    const offered = offers[problem] ?? [];
    for (const id of ["retry", "retry-sound", "retry-text"]) {
      element(id).hidden = !offered.includes(id);
      element(id).classList.toggle("primary", id === offered[0]);
      element(id).style.order = String(offered.indexOf(id));
    }
  }
}

function stateWords(call) {
  const { words } = language;
  switch (call.connection.state) {
    case "connected": return words.live;
    case "reconnecting": return words.reconnecting;
    default: return words.connecting(Math.floor(secondsSince(call.connection.since)));
  }
}

/** How to allow the camera in this browser. */
function howToAllow(words) {
  const agent = navigator.userAgent;
  if (/iPhone|iPad/.test(agent)) return /CriOS|FxiOS|EdgiOS/.test(agent) ? words.iPhone : words.safari;
  if (/Firefox/.test(agent)) return words.firefox;
  return /Android/.test(agent) ? words.android : words.other;
}

function secondsSince(moment) {
  return moment === undefined ? 0 : (performance.now() - moment) / 1000;
}

function write(id, text) {
  setText(element(id), text);
}

/** A note that is there only when it has something to say. */
function writeNote(id, text) {
  write(id, text);
  element(id).hidden = text === "";
}
