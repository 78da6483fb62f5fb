/**
 * The caller's page: one tap starts the picture, Stop is always in sight, everything in between is said in words.
 * @module
 */

import { expose, readAccess } from "../shared/access.js";
import { LineBuffer } from "./buffer.js";
import { Call } from "./call.js";
import { CallerReport } from "./stages.js";
import { Chat } from "../shared/chat.js";
import { Commands } from "./commands.js";
import { cameras, findObstacle, openCameraAndMicrophone, openMicrophone } from "./devices.js";
import { DeviceReporter } from "./device.js";
import { IncidentEvents } from "../shared/events.js";
import { LocationReporter } from "./location.js";
import { MetadataChannel } from "../shared/metadata.js";
import { applyTheme } from "../shared/theme.js";
import { fetchICEServers } from "../shared/whip.js";
import { caller as words, chat as chatWords, clock, howToAllow, listNames, listRoles, obstacles, refusals } from "../shared/words.js";

const access = readAccess(location);
const element = (id) => document.getElementById(id);
const self = () => events.actor;

/** @type {"start" | "live" | "problem" | "ended"} */
let view = "start";
/** @type {Call | undefined} */
let call;
/** When the picture first went out, on the clock of `performance.now()`. */
let liveSince;
let problem = "";
let guidance = "";
/** Who looks on, as the service tells: by presence, or else by what the journal says of watching. */
let people;
const journalWatchers = new Map();
let wakeLock;
const history = [];
const metadata = new MetadataChannel(access.incident);
const events = new IncidentEvents(access.token, metadata);
const report = new CallerReport(metadata, self);
const place = new LocationReporter(metadata, self);
const device = new DeviceReporter(metadata, self, () => call);
const chat = new Chat(element("chat"), metadata, self, () => !element("chat").hidden);
const buffer = new LineBuffer(access, () => events.isRecorded, ownSource);
const iceServers = access.token ? fetchICEServers(access.token) : Promise.resolve([]);

new Commands(metadata, access, self, {
  call: () => (view === "live" ? call : undefined),
  locate: () => place.request(),
  guide: (text) => {
    guidance = text;
    render();
  },
  stop: async () => endCall(words.endedByThem),
  preview: element("preview"),
});

// MARK: Starting and stopping

async function start(openDevices) {
  const obstacle = findObstacle();
  if (obstacle) return showObstacle(obstacle);
  setBusy(true);
  // Both questions are asked in one go; a no to one of them leaves the other.
  place.start();
  try {
    const stream = await openDevices();
    if (stream.getVideoTracks().length > 0) report.tell("cameraOK");
    await begin(stream);
  } catch (error) {
    showObstacle(error.obstacle ?? "failed");
  } finally {
    setBusy(false);
  }
}

async function begin(stream) {
  call?.leave();
  call = new Call(access, stream, await iceServers, metadata);
  liveSince = undefined;
  call.addEventListener("change", onCallChange);
  call.connection.addEventListener("state", onConnectionState);
  buffer.watch(call);
  call.start();
  show("live");
  keepScreenOn();
  element("flip").hidden = !call.camera || (await cameras()).length < 2;
}

function stop() {
  endCall(words.ended);
}

/** @param {string} title */
function endCall(title) {
  buffer.finish();
  call?.stop();
  place.stop();
  device.look();
  report.end();
  wakeLock?.release();
  wakeLock = undefined;
  guidance = "";
  setText("ended-title", title);
  closeChat();
  show("ended");
}

function onCallChange() {
  device.look();
  render();
}

function onConnectionState({ detail: state }) {
  history.push({ state, at: performance.now() });
  if (state === "connected") liveSince ??= performance.now();
  if (state === "failed") {
    const { code, message } = call.connection.error;
    buffer.finish();
    call.leave();
    if (refusals[code]) return showRefusal({ code });
    report.fail("connectionFailed", message);
    showProblem({ title: "The call could not be started", text: message, offersRetry: true });
  }
}

/** The service lets us in no more, or never did. */
function showRefusal({ code }) {
  if (view === "ended" || !refusals[code]) return;
  buffer.finish();
  call?.leave();
  place.stop();
  problem = code;
  closeChat();
  showProblem(refusals[code]);
}

/** A dark screen would stop the camera on most phones. */
async function keepScreenOn() {
  try {
    wakeLock = await navigator.wakeLock?.request("screen");
  } catch {
    // Refused on a low battery: the call goes on all the same.
  }
}

// MARK: What the page shows

function show(next) {
  view = next;
  for (const name of ["start", "live", "problem", "ended"]) element(name).hidden = name !== next;
  if (next === "ended") element("ended-title").focus();
  render();
}

function showObstacle(obstacle) {
  problem = obstacle;
  report.fail(obstacle === "unsupported" || obstacle === "insecure" ? "browserUnsupported" : "permissionDenied", obstacle);
  showProblem({ text: howToAllow(navigator.userAgent), ...obstacles[obstacle] });
}

function showProblem({ title, text, offersRetry = false, offersSound = false }) {
  element("problem-title").textContent = title;
  element("problem-text").textContent = text;
  element("retry").hidden = !offersRetry;
  element("retry-sound").hidden = !offersSound;
  show("problem");
}

function setBusy(isBusy) {
  for (const id of ["start-video", "start-sound", "retry", "retry-sound"]) element(id).disabled = isBusy;
}

function render() {
  renderMessage();
  element("is-recorded").hidden = !events.isRecorded;
  const late = words.late[buffer.state];
  setText("late-ended", late);
  setText("late", late);
  element("late").hidden = late === "";
  if (view !== "live" || !call) return;
  const { state } = call.connection;
  element("live").dataset.state = state;
  element("live").dataset.facing = call.facing;
  setText("state-words", stateWords(state));
  setText("timer", state === "connected" ? clock(secondsSince(liveSince)) : "");
  element("recorded").hidden = !events.isRecorded;
  setText("watching", watchingWords());
  setText("guidance", guidance);
  element("guidance").hidden = guidance === "";
  renderHint();
  renderTools();
  setSource("preview", call.camera ? call.stream : null);
  setSource("voices", call.voices);
}

function stateWords(state) {
  switch (state) {
    case "connected": return words.live;
    case "reconnecting": return words.reconnecting;
    default: return words.connecting(secondsSince(call.connection.since));
  }
}

function watchingWords() {
  const seen = people ?? [...journalWatchers.values()];
  if (seen.length > 0) return words.watching(listRoles(seen));
  if (!events.isConnected) return "";
  const names = events.watchers.filter((peer) => peer.state === "connected").map((peer) => peer.name);
  return names.length > 0 ? words.watching(listNames(names)) : words.nobodyWatching;
}

function renderHint() {
  const hint = hintWords();
  element("hint").hidden = hint === "";
  setText("hint", hint);
  element("camera-lost").hidden = !call.isCameraLost;
  element("watching").hidden = element("watching").textContent === "";
}

function hintWords() {
  if (call.isMuted) return words.microphoneOff;
  if (!call.camera) return words.soundOnly;
  if (!call.microphone) return words.noMicrophone;
  if (place.state === "refused") return words.locationRefused;
  return "";
}

function renderTools() {
  element("microphone").hidden = !call.microphone;
  element("microphone").setAttribute("aria-pressed", String(call.isMuted));
  element("torch").hidden = !call.hasTorch;
  element("torch").setAttribute("aria-pressed", String(call.isTorchOn));
}

/** The newest message that has not been seen stands beside the picture; a tap opens the conversation. */
function renderMessage() {
  const { unread } = chat;
  const isOpen = !element("chat").hidden;
  setText("text-words", words.text(unread.length));
  setText("start-text", words.textOnly(unread.length));
  element("text").setAttribute("aria-expanded", String(isOpen));
  const newest = isOpen ? undefined : unread.at(-1);
  element("message").hidden = !newest;
  if (newest) setText("message", words.message(chatWords.who(newest.name, newest.role), newest.text));
}

function openChat() {
  element("chat").hidden = false;
  element("chat").classList.toggle("alone", view !== "live");
  element("chat-text").focus();
  chat.look();
  render();
}

function closeChat() {
  if (element("chat").hidden) return;
  element("chat").hidden = true;
  render();
  element(view === "live" ? "text" : "start-text").focus();
}

/** Leaves equal text alone, so that screen readers hear only news. */
function setText(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

function setSource(id, stream) {
  if (element(id).srcObject !== stream) element(id).srcObject = stream;
}

/** The service's name of what we send, if it has told. */
function ownSource(kind) {
  return events.sourcesOf(kind).find((source) => source.peer === call?.connection.peer)?.id;
}

function secondsSince(moment) {
  return moment === undefined ? 0 : (performance.now() - moment) / 1000;
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

applyTheme();
listen("start-video", () => start(openCameraAndMicrophone));
listen("start-sound", () => start(openMicrophone));
listen("retry", () => start(openCameraAndMicrophone));
listen("retry-sound", () => start(openMicrophone));
listen("flip", () => call.flip());
listen("torch", () => call.light(!call.isTorchOn));
listen("microphone", () => call.mute(!call.isMuted));
listen("camera-back", () => call.reopenCamera());
listen("stop", stop);
listen("chat-stop", stop);
// A disabled button loses the focus, which these move.
for (const id of ["start-text", "text", "message"]) element(id).addEventListener("click", openChat);
element("chat-close").addEventListener("click", closeChat);
addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeChat();
});

// A reload goes on with the same call, so leaving the page does not end it: without its page it ends by itself.
addEventListener("pagehide", () => call?.leave());
addEventListener("pageshow", (event) => {
  // Brought back from the browser's memory: the call ended when the page was left.
  if (event.persisted) location.reload();
});
document.addEventListener("visibilitychange", () => {
  if (view !== "live") return;
  const isVisible = document.visibilityState === "visible";
  if (isVisible) keepScreenOn();
  report.see(isVisible, call.connection.state === "connected");
});
events.addEventListener("change", render);
events.addEventListener("refused", ({ detail }) => {
  // A token that is none of ours is said when somebody wants to start with it.
  if (detail.code !== "invalidToken") showRefusal(detail);
});
metadata.addEventListener("state", () => {
  if (metadata.state === "lost") showRefusal({ code: "forbidden" });
});
metadata.on("presence", ({ payload }) => {
  people = payload.people.filter((person) => person.watching && person.id !== self());
  render();
});
metadata.on("media.watching", ({ payload }) => {
  if (payload.on) journalWatchers.set(payload.account, payload);
  else journalWatchers.delete(payload.account);
});
metadata.on("incident.state", ({ payload }) => {
  const isOver = payload.state === "ended" || payload.state === "cancelled";
  if (isOver && view === "live") endCall(words.endedByThem);
});
place.addEventListener("state", render);
place.addEventListener("fix", () => report.tell("locationOK"), { once: true });
chat.addEventListener("change", render);
buffer.addEventListener("change", render);

const obstacle = findObstacle();
if (!access.token) {
  showProblem({ title: "This link is incomplete", text: "Open the link again exactly as you received it." });
} else {
  if (obstacle) showObstacle(obstacle);
  events.open();
  device.start();
}

expose({
  get view() { return view; },
  get state() { return call?.connection.state ?? "idle"; },
  get problem() { return problem; },
  get stats() { return structuredClone(call?.figures ?? {}); },
  get counters() { return call?.connection.counters; },
  get peers() { return [...events.peers.values()]; },
  get sources() { return [...events.sources.values()]; },
  get history() { return [...history]; },
  get metadata() {
    const { state, last, waiting, carriers } = metadata;
    return { state, last, waiting, carriers };
  },
  get messages() { return structuredClone(chat.messages); },
  get late() { return { state: buffer.state, sent: buffer.sent, isRecording: buffer.isRecording }; },
  get place() { return { state: place.state, fix: place.fix }; },
});
