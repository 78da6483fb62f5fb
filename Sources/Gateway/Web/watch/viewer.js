/**
 * The viewer's page: the caller's picture and sound, how fresh they are, and who else is there.
 * @module
 */

import { expose, readAccess } from "../shared/access.js";
import { Chat } from "../shared/chat.js";
import { IncidentEvents } from "../shared/events.js";
import { Guest } from "./guest.js";
import { LookBack } from "../replay/lookback.js";
import { MetadataChannel } from "../shared/metadata.js";
import { Places } from "./places.js";
import { reductionWords } from "../shared/quality.js";
import { applyTheme, nextTheme } from "../shared/theme.js";
import { watermark } from "../shared/watermark.js";
import { Watch } from "./watch.js";
import { fetchICEServers } from "../shared/whip.js";
import { clock, rate, replay as replayWords, viewer as words } from "../shared/words.js";

const access = readAccess(location);
const element = (id) => document.getElementById(id);
const picture = element("picture");

/** @type {Watch | undefined} */
let watch;
/** When the first frame was seen, on the clock of `performance.now()`. */
let liveSince;
/** Whether the incident had a caller, as far as the service told. */
let hadCaller = false;
const history = [];
/** Why we may watch no longer, in words; empty as long as we may. */
let farewell = "";
const metadata = new MetadataChannel(access.incident);
const events = new IncidentEvents(access.token, metadata);
const places = new Places(metadata);
const guest = new Guest(access.token, events, metadata);
const mark = watermark(element("stage"), () => guest.name);
/** People start with a blurred picture until they choose to look (UX, "Seeing is a choice"); a plain viewer shows it. */
let isHidden = guest.isGuest || access.options.get("role") === "operator";
const lookBack = new LookBack(access, element("stage"));
/** Whether the live sound was off before somebody looked back; undefined while nobody does. */
let wasMuted;
const chat = new Chat(element("chat"), metadata, () => events.actor, () => true);

async function start() {
  watch = new Watch(access, await fetchICEServers(access.token), metadata, events);
  watch.addEventListener("change", render);
  watch.start();
  events.open();
}

/** The right to watch is gone: says so, once, and lets go. @param {string} text */
function end(text) {
  farewell ||= text;
  lookBack.live();
  guest.close();
  watch?.leave();
  events.close();
  metadata.lose(farewell);
  render();
}

/** What the reason of our own peer's end means, if it is for good. */
function closedWords(reason = "") {
  const [, into] = reason.match(/^merged into (\S+)/) ?? [];
  if (into) return words.merged(into);
  return reason.startsWith("you no longer belong") ? words.lost : "";
}

/** Words for the codes after which asking again is of no use. */
function refusalWords(code) {
  return {
    linkRevoked: words.revoked, linkExpired: words.expired, expiredToken: words.expired, linkEnded: words.incidentOver,
    forbidden: words.lost,
  }[code];
}

// MARK: What the page shows

/**
 * @typedef {{kind: "waiting" | "live" | "stale" | "ended", text: string}} PictureState
 * @returns {PictureState}
 */
function pictureState() {
  if (farewell) return { kind: "ended", text: farewell };
  const { state } = watch;
  switch (state) {
    case "idle":
    case "connecting": return { kind: "waiting", text: words.connecting(secondsSince(watch.connection.since)) };
    case "reconnecting": return { kind: "stale", text: words.reconnecting };
    case "failed": {
      const { code, message } = watch.connection.error;
      return { kind: "ended", text: refusalWords(code) ?? message };
    }
    case "closed": return { kind: "ended", text: words.ended };
    case "live": return { kind: "live", text: words.live };
    case "soundOnly": return { kind: "live", text: words.soundOnly };
    case "waiting":
    case "still": return withoutFrames();
  }
}

/** Our line stands and no frame comes: what the service knows of the caller tells why. */
function withoutFrames() {
  if (events.isConnected && events.callers.length === 0) {
    return hadCaller ? { kind: "ended", text: words.ended } : { kind: "waiting", text: words.waiting };
  }
  const isInterrupted = events.callers.some((peer) => peer.state === "interrupted");
  const seconds = watch.slot.secondsWithoutFrame;
  if (isInterrupted) return { kind: "stale", text: words.callerReconnecting };
  if (seconds === undefined) return { kind: "waiting", text: words.waiting };
  return { kind: "stale", text: words.noPicture(seconds) };
}

function render() {
  if (!watch) return;
  hadCaller ||= events.callers.length > 0;
  const state = pictureState();
  remember(state);
  document.body.dataset.picture = state.kind;
  document.body.toggleAttribute("data-hidden", isHidden);
  document.body.toggleAttribute("data-looking-back", lookBack.isActive);
  setText("state", lookBack.isActive ? replayWords.behind(lookBack.behind) : state.text);
  setText("timer", state.kind === "live" && !lookBack.isActive ? clock(secondsSince(liveSince)) : "");
  setText("cover", lookBack.isActive ? lookBack.cover(isHidden ? words.hidden : "") : coverWords(state));
  setText("look-problem", lookBack.problem || (lookBack.isActive || state.kind !== "live" ? "" : reductionWords(watch.slot.view)));
  renderButtons();
  renderFigures();
  renderOthers();
  renderPeople();
  renderPlace();
  setSource(picture, watch.slot.stream);
  renderVoices();
  mark.write();
}

/** Everybody who talks, but for the large picture's own sound. */
function renderVoices() {
  const voices = element("voices");
  setSource(voices, watch.voices);
  if (voices.muted === picture.muted) return;
  voices.muted = picture.muted;
  voices.play().catch(() => {});
}

function remember({ kind, text }) {
  if (kind === "live") liveSince ??= performance.now();
  if (history.at(-1)?.kind !== kind) history.push({ kind, text, at: performance.now() });
}

function coverWords(state) {
  if (state.kind !== "live") return state.text;
  if (watch.state === "soundOnly") return words.soundOnly;
  return isHidden ? words.hidden : "";
}

function renderButtons() {
  const isMuted = wasMuted ?? picture.muted;
  element("sound").querySelector("span").textContent = isMuted ? "Turn on sound" : "Turn off sound";
  element("sound").classList.toggle("primary", isMuted);
  element("live").hidden = !lookBack.isActive;
  element("reveal").querySelector("span").textContent = isHidden ? "Reveal picture" : "Hide picture";
}

function renderFigures() {
  replaceRows(element("figures"), readings(watch.slot.figures), ([name, value]) => {
    const row = document.createElement("div");
    row.append(textElement("dt", name), textElement("dd", value ?? "–"));
    return row;
  });
}

/** What is measured, always in the same order; a figure that is not known yet has no value. */
function readings({ video, audio, roundTripMilliseconds }) {
  const seen = video?.width ? video : undefined;
  const age = watch.slot.secondsWithoutFrame;
  return [
    ["picture", seen && `${seen.width}×${seen.height} ${seen.codec ?? ""}`],
    ["rate", seen && rate(seen.bitsPerSecond)],
    ["frames", seen && `${Math.round(seen.framesPerSecond ?? 0)}/s`],
    ["last frame", age === undefined ? undefined : age < 1 ? "now" : `${Math.floor(age)} s ago`],
    ["buffer", seen && `${seen.bufferMilliseconds} ms`],
    ["round trip", roundTripMilliseconds === undefined ? undefined : `${roundTripMilliseconds} ms`],
    ["loss", seen && `${(100 * seen.lossRatio).toFixed(1)} %`],
    ["sound", audio?.packets ? rate(audio.bitsPerSecond) : undefined],
  ];
}

/** Small moving pictures of the other callers; a click makes one the large picture. */
function renderOthers() {
  const list = element("others");
  while (list.children.length < watch.slots.length) list.append(otherCaller(list.children.length));
  let anyone = false;
  watch.slots.forEach((slot, index) => {
    const isShown = index !== watch.main && slot.state === "live";
    anyone ||= isShown;
    list.children[index].hidden = !isShown;
    setSource(list.children[index].querySelector("video"), isShown ? slot.stream : null);
  });
  element("others-section").hidden = !anyone;
}

function otherCaller(index) {
  const video = Object.assign(document.createElement("video"), { muted: true, autoplay: true, playsInline: true });
  const button = textElement("button", `Show caller ${index + 1}`);
  button.type = "button";
  button.prepend(video);
  button.addEventListener("click", () => watch.show(index));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

function renderPeople() {
  const people = [...events.peers.values()];
  replaceRows(element("people"), people, (peer) => {
    const row = document.createElement("li");
    row.append(textElement("strong", peer.name), textElement("span", peopleWords(peer)));
    return row;
  });
}

function peopleWords(peer) {
  const role = peer.permissions.includes("publish") ? "sending" : "watching";
  const state = { connecting: "connecting", connected: role, interrupted: "reconnecting" }[peer.state] ?? peer.state;
  // Codecs and rates mean nothing to a hospital.
  if (guest.isGuest) return state;
  const rates = [...events.sources.values()]
    .filter((source) => source.peer === peer.id && source.codec)
    .map((source) => `${source.codec} ${rate(source.bitrate)}`);
  return [state, ...rates].join(", ");
}

function renderPlace() {
  const { fix } = places;
  element("place").hidden = !fix;
  if (!fix) return;
  setText("coordinates", `${fix.lat.toFixed(5)}, ${fix.lon.toFixed(5)}`);
  const accuracy = fix.accuracy === undefined ? [] : [words.accuracy(fix.accuracy)];
  setText("place-age", [...accuracy, words.age(places.age)].join(", "));
  element("place").toggleAttribute("data-stale", places.isStale);
}

/** Puts new rows in place only when they say something new. */
function replaceRows(parent, items, build) {
  const key = JSON.stringify(items);
  if (parent.sightlineKey === key) return;
  parent.sightlineKey = key;
  parent.replaceChildren(...items.map(build));
}

function textElement(name, text) {
  const child = document.createElement(name);
  child.textContent = text;
  return child;
}

/** Leaves equal text alone, so that screen readers hear only news. */
function setText(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

function setSource(video, stream) {
  if (video.srcObject !== stream) video.srcObject = stream;
}

function secondsSince(moment) {
  return moment === undefined ? 0 : (performance.now() - moment) / 1000;
}

// MARK: Commands

const commands = {
  sound: () => {
    if (wasMuted === undefined) {
      picture.muted = !picture.muted;
      picture.play().catch(() => {});
    } else {
      wasMuted = !wasMuted;
      lookBack.mute(wasMuted);
    }
    render();
  },
  reveal: () => {
    isHidden = !isHidden;
    render();
  },
  monochrome: () => {
    const isOn = document.body.toggleAttribute("data-monochrome");
    element("monochrome").setAttribute("aria-pressed", String(isOn));
  },
  fullscreen: () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else element("stage").requestFullscreen?.();
  },
  // The live picture goes on underneath, without its sound.
  back: () => {
    wasMuted ??= picture.muted;
    picture.muted = true;
    lookBack.back({ isMuted: wasMuted, main: watch?.main ?? 0 });
  },
  live: () => lookBack.live(),
  theme: () => nextTheme(),
  keys: () => element("help").showModal(),
  write: () => element("chat-text").focus(),
};

const keys = {
  c: "write", a: "sound", r: "reveal", m: "monochrome", f: "fullscreen", arrowleft: "back", l: "live", t: "theme", "?": "keys",
};

applyTheme();
for (const [id, command] of Object.entries(commands)) element(id)?.addEventListener("click", command);
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || element("help").open) return;
  if (event.target instanceof HTMLTextAreaElement) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const command = keys[event.key.toLowerCase()];
  if (!command) return;
  event.preventDefault();
  commands[command]();
});
addEventListener("pagehide", () => watch?.stop());
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
lookBack.addEventListener("change", () => {
  if (!lookBack.isActive && wasMuted !== undefined) {
    picture.muted = wasMuted;
    wasMuted = undefined;
  }
  render();
});
lookBack.addEventListener("tick", () => {
  setText("state", replayWords.behind(lookBack.behind));
  setText("cover", lookBack.cover(isHidden ? words.hidden : ""));
});
events.addEventListener("change", render);
guest.addEventListener("expired", () => end(words.expired));
element("stage").addEventListener("contextmenu", (event) => event.preventDefault());
events.addEventListener("refused", ({ detail: { code, text } }) => end(refusalWords(code) ?? text));
events.addEventListener("peerClosed", ({ detail: peer }) => {
  const text = peer.id === watch?.connection.peer ? closedWords(peer.reason) : "";
  if (text) end(text);
});
metadata.addEventListener("state", () => {
  if (metadata.state === "lost") end(words.lost);
});
metadata.addEventListener("subscribed", ({ detail: snapshot }) => {
  if (["ended", "cancelled"].includes(snapshot?.state)) end(words.incidentOver);
});
metadata.on("incident.state", ({ payload, number }) => {
  const isOver = payload.state === "ended" || payload.state === "cancelled";
  if (isOver && number > metadata.start) end(words.incidentOver);
});
setText("incident", `Incident ${access.incident}`);
document.title = `Incident ${access.incident}`;
if (access.token) {
  start();
} else {
  setText("state", "This link is incomplete. Open it exactly as you received it.");
}

expose({
  get state() { return watch?.state ?? "idle"; },
  get connectionState() { return watch?.connection.state ?? "idle"; },
  get picture() { return watch ? pictureState() : undefined; },
  get stats() { return structuredClone(watch?.slot.figures ?? {}); },
  get slots() { return watch?.slots.map((slot) => slot.state); },
  get views() { return watch?.slots.map((slot) => structuredClone(slot.view)) ?? []; },
  get counters() { return watch?.connection.counters; },
  get isMuted() { return picture.muted; },
  get peers() { return [...events.peers.values()]; },
  get sources() { return [...events.sources.values()]; },
  get history() { return [...history]; },
  get messages() { return structuredClone(chat.messages); },
  get lookBack() {
    const { isActive, behind, position, problem } = lookBack;
    return { isActive, behind, position, problem };
  },
  get guest() {
    const { name, isGuest, notes, speakers } = guest;
    return { name, isGuest, isHidden, notes: structuredClone(notes), speakers, watermark: mark.text() };
  },
  get voices() { return structuredClone(watch?.voiceFigures ?? []); },
  get place() { return structuredClone(places.fix); },
  get metadata() {
    const { state, last, waiting, carriers } = metadata;
    return { state, last, waiting, carriers };
  },
});
