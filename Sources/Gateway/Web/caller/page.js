/**
 * The caller's page once all of it is there: one tap starts the picture, Stop is always in sight, everything in between is
 * said in words.
 * @module
 */

import { readAccess } from "../shared/access.js";
import { Chat } from "../shared/chat.js";
import { IncidentEvents } from "../shared/events.js";
import { MetadataChannel } from "../shared/metadata.js";
import { fetchICEServers } from "../shared/whip.js";
import { LineBuffer } from "./buffer.js";
import { Call } from "./call.js";
import { Cards } from "./cards.js";
import { Commands } from "./commands.js";
import { DeviceReporter } from "./device.js";
import { cameras, findObstacle, openCameraAndMicrophone, openMicrophone } from "./devices.js";
import { language } from "./language.js";
import { LocationReporter } from "./location.js";
import { recall, remember } from "./memory.js";
import { Photos } from "./photos.js";
import { silence } from "./silence.js";
import { CallerReport } from "./stages.js";
import { View } from "./view.js";

const access = readAccess(location);
const element = (id) => document.getElementById(id);
const self = () => events.actor;
/** Refusals that say for good that this link opens nothing. */
const finalRefusals = new Set(["linkUsed", "linkEnded", "linkRevoked", "expiredToken", "forbidden"]);

/**
 * All that the view shows.
 * @typedef {object} PageState
 * @property {"start" | "live" | "plain" | "problem" | "ended"} view
 * @property {Call | undefined} call
 * @property {number} since when the view was entered, on the same clock as `liveSince`
 * @property {number | undefined} liveSince when the picture first went out, on the clock of `performance.now()`
 * @property {string} problem what stands in the way, as the words of the language name it
 * @property {"ended" | "endedPlain" | "endedByThem"} end
 * @property {{role: string}[]} people who look on, as far as the service has told
 * @property {boolean} isDeaf whether the browser lets no sound out yet
 */

/** @type {PageState} */
const state = { view: "start", since: performance.now(), call: undefined, problem: "", end: "ended", people: [], isDeaf: false };
let presence;
const journalWatchers = new Map();
let wakeLock;
const history = [];
const metadata = new MetadataChannel(access.incident);
const events = new IncidentEvents(access.token, metadata);
const report = new CallerReport(metadata, self);
const place = new LocationReporter(metadata, self);
const device = new DeviceReporter(metadata, self, () => state.call);
const chat = new Chat(element("chat"), metadata, self, () => !element("chat").hidden && !silence.isOn);
const cards = new Cards(access);
const photos = new Photos(access);
const buffer = new LineBuffer(access, () => events.isRecorded, ownSource);
const view = new View({ state, metadata, events, chat, cards, place, photos, buffer });
const iceServers = access.token ? fetchICEServers(access.token) : Promise.resolve([]);

new Commands(metadata, access, self, {
  call: () => (state.view === "live" ? state.call : undefined),
  locate: () => place.request(),
  cards,
  stop: async () => endCall("endedByThem"),
  preview: element("preview"),
});

// MARK: Starting and stopping

/**
 * Begins as the person wants; each refusal leads on with what is left.
 * @param {"video" | "sound" | "text" | "location"} way
 * @param {Promise<MediaStream>} [devices] those that are being asked for
 */
export async function start(way, devices) {
  if (state.view === "problem" && finalRefusals.has(state.problem)) return;
  remember(access.token, "way", way);
  // Both questions are asked in one go; a no to one of them leaves the other.
  if (way !== "text") place.start();
  if (way === "text" || way === "location") return showPlain(way);
  const obstacle = findObstacle();
  if (obstacle) return showObstacle(obstacle);
  try {
    const stream = await devices;
    if (stream.getVideoTracks().length > 0) report.tell("cameraOK");
    await begin(stream);
  } catch (error) {
    console.info("sightline: no devices:", error.message);
    showObstacle(way === "sound" ? "noSound" : (error.obstacle ?? "failed"));
  }
}

async function begin(stream) {
  state.call?.leave();
  const call = new Call(access, stream, await iceServers, metadata);
  state.call = call;
  state.liveSince = undefined;
  call.addEventListener("change", onCallChange);
  call.connection.addEventListener("state", onConnectionState);
  buffer.watch(call);
  call.start();
  closeChat();
  show("live");
  keepScreenOn();
  element("flip").hidden = !call.camera || (await cameras()).length < 2;
}

function showPlain(way) {
  show("plain");
  keepScreenOn();
  openChat(way === "text");
  if (way !== "text") element("plain-title").focus();
}

/** @param {PageState["end"]} how */
function endCall(how, { isOver = false } = {}) {
  buffer.finish();
  // What the service has ended needs no goodbye.
  if (isOver) state.call?.leave();
  else state.call?.stop();
  place.stop();
  cards.clear();
  device.look();
  report.end();
  letScreenOff();
  remember(access.token, "way", undefined);
  state.end = how;
  closeChat();
  show("ended");
}

function stop() {
  endCall(state.view === "live" ? "ended" : "endedPlain");
}

function onCallChange() {
  device.look();
  render();
}

function onConnectionState({ detail }) {
  const { call } = state;
  history.push({ state: detail, at: performance.now() });
  if (detail === "connected") state.liveSince ??= performance.now();
  if (detail !== "failed") return;
  const { code, message } = call.connection.error;
  buffer.finish();
  call.leave();
  if (finalRefusals.has(code)) return showRefusal({ code });
  report.fail("connectionFailed", message);
  remember(access.token, "way", undefined);
  showProblem(code === "invalidToken" ? "incomplete" : "noCall");
}

/** The service lets us in no more, or never did. */
function showRefusal({ code }) {
  if (state.view === "ended" || !finalRefusals.has(code)) return;
  buffer.finish();
  state.call?.leave();
  place.stop();
  cards.clear();
  letScreenOff();
  remember(access.token, "way", undefined);
  showProblem(code);
}

function showObstacle(obstacle) {
  report.fail(obstacle === "unsupported" || obstacle === "insecure" ? "browserUnsupported" : "permissionDenied", obstacle);
  remember(access.token, "way", undefined);
  showProblem(obstacle);
}

function showProblem(problem) {
  state.problem = problem;
  closeChat();
  show("problem");
}

/** A dark screen would stop the camera on most phones. */
async function keepScreenOn() {
  try {
    wakeLock = await navigator.wakeLock?.request("screen");
  } catch {
    // Refused on a low battery: the call goes on all the same.
  }
}

function letScreenOff() {
  wakeLock?.release();
  wakeLock = undefined;
}

// MARK: What the page shows

function show(next) {
  if (next !== state.view) state.since = performance.now();
  state.view = next;
  if (next !== "live") state.call = next === "ended" ? state.call : undefined;
  render();
  if (silence.isOn) return;
  if (next === "ended") element("ended-title").focus();
  if (next === "problem") element("problem-title").focus();
}

function render() {
  if (!language.words) return;
  state.people = presence ?? [...journalWatchers.values()];
  view.render();
  playVoices();
}

/** Sound needs a tap in browsers that heard of none, after a reload for example. */
async function playVoices() {
  const voices = element("voices");
  if (state.view !== "live" || !voices.paused || state.isDeaf) return;
  try {
    await voices.play();
  } catch (error) {
    if (error.name === "NotAllowedError") state.isDeaf = true;
  }
}

function openChat(isFocused = true) {
  element("chat").hidden = false;
  if (isFocused) element("chat-text").focus();
  chat.look();
  render();
}

function closeChat() {
  if (element("chat").hidden || state.view === "plain") {
    element("chat").hidden = true;
    return;
  }
  element("chat").hidden = true;
  render();
  if (state.view === "live") element("text").focus();
}

/** The service's name of what we send, if it has told. */
function ownSource(kind) {
  return events.sourcesOf(kind).find((source) => source.peer === state.call?.connection.peer)?.id;
}

// MARK: Wiring

function listen(id, action) {
  element(id).addEventListener("click", async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      await action();
    } catch (error) {
      console.warn(`sightline: ${id} failed`, error);
    } finally {
      button.disabled = false;
    }
  });
}

listen("retry", () => start("video", openCameraAndMicrophone()));
listen("retry-sound", () => start("sound", openMicrophone()));
listen("retry-text", () => start("location"));
listen("plain-video", () => start("video", openCameraAndMicrophone()));
listen("plain-locate", () => place.start());
listen("use-camera", () => start("video", openCameraAndMicrophone()));
listen("flip", () => state.call.flip());
listen("torch", () => state.call.light(!state.call.isTorchOn));
listen("microphone", () => state.call.mute(!state.call.isMuted));
listen("camera-back", () => (state.call.isScreenShown ? state.call.hideScreen() : state.call.reopenCamera()));
listen("stop", stop);
listen("chat-stop", stop);
// A disabled button loses the focus, which these move.
for (const id of ["text", "message"]) element(id).addEventListener("click", () => openChat());
element("chat-close").addEventListener("click", closeChat);
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && state.view === "live") closeChat();
});
addEventListener("pointerdown", () => {
  state.isDeaf = false;
  playVoices();
}, { capture: true });
for (const id of ["photo", "photo-after"]) element(id).addEventListener("click", () => element("photo-file").click());
element("photo-file").addEventListener("change", ({ target }) => {
  for (const file of target.files) photos.add(file);
  target.value = "";
});

// A reload goes on with the same call, so leaving the page does not end it: without its page it ends by itself.
addEventListener("pagehide", () => state.call?.leave());
addEventListener("pageshow", (event) => {
  // Brought back from the browser's memory: the call ended when the page was left.
  if (event.persisted) location.reload();
});
document.addEventListener("visibilitychange", () => {
  const isVisible = document.visibilityState === "visible";
  if (isVisible && (state.view === "live" || state.view === "plain")) keepScreenOn();
  if (state.view === "live") report.see(isVisible, state.call.connection.state === "connected");
});
silence.addEventListener("change", () => {
  if (silence.isOn && state.call?.isTorchOn) state.call.light(false);
  chat.look();
  render();
});
language.addEventListener("change", () => {
  tellChat();
  render();
});
events.addEventListener("change", render);
events.addEventListener("refused", ({ detail }) => {
  // A token that is none of ours is said when somebody wants to start with it.
  if (detail.code !== "invalidToken") showRefusal(detail);
});
metadata.addEventListener("state", () => {
  render();
  if (metadata.state === "lost") showRefusal({ code: "forbidden" });
});
metadata.on("presence", ({ payload }) => {
  presence = payload.people.filter((person) => person.watching && person.id !== self());
  render();
});
metadata.on("media.watching", ({ payload }) => {
  if (payload.on) journalWatchers.set(payload.account, payload);
  else journalWatchers.delete(payload.account);
});
metadata.on("incident.state", ({ payload }) => {
  const isOver = payload.state === "ended" || payload.state === "cancelled";
  if (isOver && (state.view === "live" || state.view === "plain")) endCall("endedByThem", { isOver });
});
place.addEventListener("fix", () => report.tell("locationOK"), { once: true });
for (const source of [place, chat, cards, photos, buffer]) {
  for (const type of ["change", "state"]) source.addEventListener(type, render);
}

function tellChat() {
  const { words } = language;
  chat.words = {
    ...words.chat,
    who: (name, role) => language.who(name, role),
    connection: ({ state: now, waiting }) =>
      now !== "reconnecting" ? "" : waiting > 0 ? words.chat.kept : words.chat.offline,
  };
  chat.refresh();
}

// Seconds of connecting count up.
setInterval(() => state.view === "plain" && metadata.state === "waiting" && render(), 1000);
if (language.words) tellChat();
if (!access.token) {
  showProblem("incomplete");
} else {
  const obstacle = findObstacle();
  if (obstacle) showObstacle(obstacle);
  events.open();
  device.start();
}
render();

/** What tests look at. */
export const inside = {
  get view() { return state.view; },
  get state() { return state.call?.connection.state ?? "idle"; },
  get problem() { return state.problem; },
  get stats() { return structuredClone(state.call?.figures ?? {}); },
  get counters() { return state.call?.connection.counters; },
  get peers() { return [...events.peers.values()]; },
  get sources() { return [...events.sources.values()]; },
  get history() { return [...history]; },
  get metadata() {
    const { state: now, last, waiting, carriers } = metadata;
    return { state: now, last, waiting, carriers };
  },
  get messages() { return structuredClone(chat.messages); },
  get late() { return { state: buffer.state, sent: buffer.sent, isRecording: buffer.isRecording }; },
  get photos() { return { state: photos.state, sent: photos.sent }; },
  get place() { return { state: place.state, fix: place.fix }; },
  get language() { return language.code; },
  get isSilent() { return silence.isOn; },
  get isShown() { return state.call?.isShown ?? false; },
  get heard() { return state.call?.heard ?? 0; },
  get quality() { return state.call?.quality; },
  get resumes() { return recall(access.token, "way"); },
};
