/**
 * The caller's page: one tap starts the picture, Stop is always in sight, everything in between is said in words.
 * @module
 */

import { expose, readAccess } from "./access.js";
import { Call } from "./call.js";
import { cameras, findObstacle, hasTorch, openCameraAndMicrophone, openMicrophone } from "./devices.js";
import { IncidentEvents } from "./events.js";
import { applyTheme } from "./theme.js";
import { fetchICEServers } from "./whip.js";
import { caller as words, clock, howToAllow, listNames, obstacles } from "./words.js";

const access = readAccess(location);
const element = (id) => document.getElementById(id);

/** @type {"start" | "live" | "problem" | "ended"} */
let view = "start";
/** @type {Call | undefined} */
let call;
/** When the picture first went out, on the clock of `performance.now()`. */
let liveSince;
let problem = "";
let wakeLock;
const history = [];
const events = new IncidentEvents(access.token);
const iceServers = access.token ? fetchICEServers(access.token) : Promise.resolve([]);

// MARK: Starting and stopping

async function start(openDevices) {
  const obstacle = findObstacle();
  if (obstacle) return showObstacle(obstacle);
  setBusy(true);
  try {
    const stream = await openDevices();
    await begin(stream);
  } catch (error) {
    showObstacle(error.obstacle ?? "failed");
  } finally {
    setBusy(false);
  }
}

async function begin(stream) {
  call?.stop();
  call = new Call(access, stream, await iceServers);
  liveSince = undefined;
  call.addEventListener("change", render);
  call.connection.addEventListener("state", onConnectionState);
  call.start();
  show("live");
  keepScreenOn();
  element("flip").hidden = !call.camera || (await cameras()).length < 2;
}

function stop() {
  call?.stop();
  wakeLock?.release();
  wakeLock = undefined;
  show("ended");
}

function onConnectionState({ detail: state }) {
  history.push({ state, at: performance.now() });
  if (state === "connected") liveSince ??= performance.now();
  if (state === "failed") {
    call.stop();
    showProblem({ title: "The call could not be started", text: call.connection.error.message, offersRetry: true });
  }
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
  if (next === "ended") element("ended").querySelector("h1").focus();
  render();
}

function showObstacle(obstacle) {
  problem = obstacle;
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
  if (view !== "live" || !call) return;
  const { state } = call.connection;
  element("live").dataset.state = state;
  element("live").dataset.facing = call.facing;
  setText("state-words", stateWords(state));
  setText("timer", state === "connected" ? clock(secondsSince(liveSince)) : "");
  element("recorded").hidden = !events.isRecorded;
  setText("watching", watchingWords());
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
  return "";
}

function renderTools() {
  element("microphone").hidden = !call.microphone;
  element("microphone").setAttribute("aria-pressed", String(call.isMuted));
  element("torch").hidden = !call.camera || call.isCameraLost || !hasTorch(call.camera);
  element("torch").setAttribute("aria-pressed", String(call.isTorchOn));
}

/** Leaves equal text alone, so that screen readers hear only news. */
function setText(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

function setSource(id, stream) {
  if (element(id).srcObject !== stream) element(id).srcObject = stream;
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
listen("again", () => start(openCameraAndMicrophone));
listen("flip", () => call.flip());
listen("torch", () => call.toggleTorch());
listen("microphone", () => call.toggleMicrophone());
listen("camera-back", () => call.reopenCamera());
listen("stop", stop);

addEventListener("pagehide", () => call?.stop());
addEventListener("pageshow", (event) => {
  // Brought back from the browser's memory: the call ended when the page was left.
  if (event.persisted) location.reload();
});
document.addEventListener("visibilitychange", () => {
  if (view === "live" && document.visibilityState === "visible") keepScreenOn();
});
events.addEventListener("change", render);

const obstacle = findObstacle();
if (!access.token) {
  showProblem({ title: "This link is incomplete", text: "Open the link again exactly as you received it." });
} else if (obstacle) {
  showObstacle(obstacle);
} else {
  events.open();
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
});
