/**
 * The page on which people look back: why they do, then every recorded stream on one clock, with what happened beside it.
 * @module
 */

import { expose, readAccess } from "../shared/access.js";
import { Archive, openLook } from "./archive.js";
import { offerExports } from "./export.js";
import { Filmstrip } from "./filmstrip.js";
import { Happenings } from "./happenings.js";
import { offerHold } from "./hold.js";
import { Loop } from "./loop.js";
import { PictureWall } from "./picturewall.js";
import { Player } from "./player.js";
import { Redaction } from "./redaction.js";
import { ReplayMap } from "./replaymap.js";
import { openShell } from "../shared/shell.js";
import { nextTheme } from "../shared/theme.js";
import { Timeline } from "./timeline.js";
import { clock, replay as words } from "../shared/words.js";

const access = readAccess(location);
const shell = await openShell({ title: words.title(access.incident) });
const element = (id) => document.getElementById(id);
const speeds = [0.5, 1, 2, 4, 8];

/** @type {Archive | undefined} */
let archive;
/** @type {Player | undefined} */
let player;
/** @type {Timeline | undefined} */
let timeline;
/** @type {Filmstrip | undefined} */
let filmstrip;
/** @type {PictureWall | undefined} */
let wall;
/** @type {Happenings | undefined} */
let happenings;
/** @type {Loop | undefined} */
let loop;
/** @type {ReplayMap | undefined} */
let map;
/** @type {Redaction | undefined} */
let redaction;
/** @type {import("./export.js").ExportPanel | undefined} */
let exports;
/** Pictures start blurred until somebody chooses to look (UX, "Seeing is a choice"). */
let isHidden = true;
let hasSound = true;
/** What was found out about the archive, and up to which line. @type {{verification: object, line: number} | undefined} */
let proof;
/** Why nothing is shown any more; empty as long as something is. */
let farewell = "";
const times = {};

// MARK: Why

async function open(reason) {
  const button = element("why-form").querySelector("button");
  button.disabled = true;
  setText("why-problem", "");
  times.asked = performance.now();
  try {
    const look = await openLook(access.incident, access.token, { reason });
    archive = new Archive(access.incident, access.token, look);
    await archive.open();
    begin();
  } catch (error) {
    archive?.close();
    setText("why-problem", error.message);
  } finally {
    button.disabled = false;
  }
}

function begin() {
  player = new Player(archive);
  timeline = new Timeline(element("timeline"), archive);
  filmstrip = new Filmstrip(element("filmstrip"), (track, seconds) => archive.thumbnail(track, seconds));
  wall = new PictureWall(element("pictures"), archive, player);
  happenings = new Happenings(document, archive);
  loop = new Loop(element("loop"), player, () => archive.span.start);
  map = new ReplayMap(element("map"), archive, shell.service);
  redaction = new Redaction(element("redaction").querySelector("div"), element("pictures"), archive, player);
  element("redaction").hidden = !mayExport();
  document.body.dataset.view = "replay";
  element("why").hidden = true;
  for (const id of ["replay", "side"]) element(id).hidden = false;
  archive.addEventListener("change", update);
  archive.addEventListener("ended", ({ detail }) => end(detail.message));
  timeline.addEventListener("seek", ({ detail }) => player.seek(detail));
  happenings.addEventListener("seek", ({ detail }) => player.seek(detail));
  player.addEventListener("change", render);
  player.addEventListener("problem", () => timeline.update());
  player.addEventListener("tick", follow);
  update();
  player.seek(archive.span.start);
  player.play();
  element("play").focus();
}

function end(text) {
  farewell = text;
  player.pause();
  render();
}

// MARK: What the page shows

/** More is known. */
function update() {
  wall.update();
  timeline.update();
  happenings.update();
  const film = archive.tracks.find(({ kind, fragments }) => kind === "video" && fragments.length > 0);
  if (film) filmstrip.update(film.id, { start: film.start, end: film.end });
  wall.setSound(hasSound);
  redaction.update();
  renderSeal();
  render();
}

function render() {
  const state = farewell || stateWords();
  setText("state", state);
  setText("notice", archive.facts.problem ?? "");
  element("play").querySelector("span").textContent = player.isPlaying ? "Pause" : "Play";
  element("reveal").querySelector("span").textContent = isHidden ? "Reveal pictures" : "Hide pictures";
  element("sound").setAttribute("aria-pressed", String(hasSound));
  document.body.toggleAttribute("data-hidden", isHidden);
  for (const button of element("speeds").children) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === player.rate));
  }
  follow();
}

function stateWords() {
  if (!archive.isReachable) return words.unreachable;
  if (archive.tracks.every((track) => track.fragments.length === 0)) return words.nothing;
  if (player.isWaiting) return words.waiting;
  if (!player.isPlaying) return words.paused;
  return player.rate === 1 ? words.playing : words.fast(player.rate);
}

/** The playhead has moved. */
function follow() {
  const { start, end: last } = archive.span;
  const { position } = player;
  if (player.jumpTook !== undefined) times.firstPicture ??= performance.now() - times.asked;
  timeline.show(position);
  wall.show(position, isHidden);
  happenings.show(position);
  map.show(position);
  redaction.show(position);
  loop.follow();
  setText("position", clock(position - start));
  setText("total", words.of(clock(last - start)));
  setText("wall", new Date(archive.wallTime(position)).toLocaleTimeString());
}

/** What the manifest says, until somebody wants to know whether it is true. */
function renderSeal() {
  const { state, seal, problem, line } = archive.facts;
  const at = seal && new Date(seal.at).toLocaleTimeString();
  element("verify").hidden = state === "none";
  // What was found out about an archive that has grown since says nothing about it now.
  if (proof?.line !== line) proof = undefined;
  const [kind, text] = proof
    ? [proof.verification.whole ? "verified" : "bad", proofWords(at)]
    : problem ? ["bad", words.damaged] : [state, words.seal(state, at)];
  element("seal").dataset.state = kind;
  setText("seal", text);
  const findings = proof?.verification.findings.filter(({ severity }) => severity === "damage") ?? [];
  element("findings").hidden = findings.length === 0;
  element("findings").replaceChildren(...findings.map((finding) =>
    Object.assign(document.createElement("li"), { textContent: words.finding(finding) })));
}

function proofWords(at) {
  const { verification } = proof;
  if (verification.whole) return words.verified(verification, at);
  return words.notVerified(verification.findings.filter(({ severity }) => severity === "damage").length);
}

async function verify() {
  element("verify").disabled = true;
  setText("seal", words.verifying);
  try {
    const { verification, lines } = await archive.verify();
    // An archive that grows was read a moment after its last line was told.
    proof = verification && { verification, line: archive.facts.live ? archive.facts.line : lines };
  } catch (error) {
    setText("notice", error.message);
  }
  element("verify").disabled = false;
  renderSeal();
}

/** Leaves equal text alone, so that screen readers hear only news. */
function setText(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

// MARK: Commands

const commands = {
  play: () => (player.isPlaying ? player.pause() : player.play()),
  pause: () => player.pause(),
  back: (event) => player.seek(player.position - (event.shiftKey ? 1 : 5)),
  forward: (event) => player.seek(player.position + (event.shiftKey ? 1 : 5)),
  farBack: () => player.seek(player.position - 10),
  faster: () => {
    if (player.isPlaying) player.rate = speeds[Math.min(speeds.length - 1, speeds.indexOf(player.rate) + 1)];
    else player.play();
  },
  first: () => player.seek(archive.span.start),
  last: () => player.seek(archive.span.end),
  next: () => happenings.go(player.position, 1),
  previous: () => happenings.go(player.position, -1),
  sound: () => {
    hasSound = !hasSound;
    wall.setSound(hasSound);
    render();
  },
  reveal: () => {
    isHidden = !isHidden;
    render();
    // Seeing is a choice, and the journal keeps it.
    archive.noteRevealed(!isHidden).catch((error) => setText("notice", error.message));
  },
  loopFrom: () => loop.mark("start"),
  loopTo: () => loop.mark("end"),
  noLoop: () => loop.clear(),
  redact: () => {
    if (element("redaction").hidden) return;
    element("redaction").open = true;
    redaction.toggle();
  },
  monochrome: () => {
    const isOn = document.body.toggleAttribute("data-monochrome");
    element("monochrome").setAttribute("aria-pressed", String(isOn));
  },
  verify: () => verify(),
  theme: () => nextTheme(),
  export: () => {
    if (element("export").hidden) return;
    exports?.refresh();
    element("package").showModal();
  },
};

/** Keys, what they do in words, and whether they mean something before anything is shown. */
const keys = [
  [" ", "play", "Play or pause"], ["k", "pause", "Pause"],
  ["arrowleft", "back", "5 seconds back, with Shift 1 second"], ["arrowright", "forward", "5 seconds forward, with Shift 1 second"],
  ["j", "farBack", "10 seconds back"], ["l", "faster", "Play; again: faster"], ["home", "first", "Beginning"], ["end", "last", "End"],
  ["n", "next", "Next happening"], ["p", "previous", "Happening before"], ["[", "loopFrom", "Loop from here"],
  ["]", "loopTo", "Loop to here"], ["\\", "noLoop", "No loop"], ["a", "sound", "Sound on or off"],
  ["r", "reveal", "Reveal or hide the pictures"], ["m", "monochrome", "Monochrome"],
  ["v", "verify", "Verify that nothing was changed"], ["d", "redact", "Draw what a redacted copy hides"],
  ["e", "export", "Evidence package, for those who may have one made", true], ["t", "theme", "Next theme: dark, light, sunlight", true],
];

function mayExport() {
  return shell.session.is("supervisor", "custodian");
}

for (const [key, name, text, isAlways] of keys) {
  shell.shortcuts.add({ key, words: text, action: commands[name], when: () => isAlways || player !== undefined });
}
speeds.forEach((speed, index) => shell.shortcuts.add({
  key: String(index + 1), words: `Speed ${words.speed(speed)}`, when: () => player !== undefined,
  action: () => {
    player.rate = speed;
  },
}));
// The shell's own button changes the theme too; a canvas does not notice.
new MutationObserver(() => timeline?.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
element("speeds").append(...speeds.map((speed) => {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: words.speed(speed) });
  button.dataset.speed = String(speed);
  button.addEventListener("click", () => {
    player.rate = speed;
  });
  return button;
}));
for (const [id, command] of Object.entries(commands)) element(id)?.addEventListener("click", command);
addEventListener("pagehide", () => archive?.close());
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
element("why-form").addEventListener("submit", (event) => {
  event.preventDefault();
  open(element("reason").value);
});
setText("incident", words.title(access.incident));
if (access.incident) {
  element("reason").focus();
  offerExports(element("export"), element("package"), access, () => redaction?.order).then((panel) => {
    exports = panel;
  });
  offerHold(element("hold"), shell, access.incident);
  offerTrail();
} else setText("why-problem", words.incomplete);

function offerTrail() {
  if (!shell.session.is("supervisor", "custodian", "auditor")) return;
  const query = new URLSearchParams({ ...(access.token && { token: access.token }), incident: access.incident });
  element("trail").href = `/audit?${query}`;
  element("trail").hidden = false;
}

expose({
  get view() { return document.body.dataset.view; },
  get position() { return player?.position; },
  get isPlaying() { return player?.isPlaying ?? false; },
  get isWaiting() { return player?.isWaiting ?? false; },
  get rate() { return player?.rate; },
  get drifts() { return player?.drifts ?? {}; },
  get jumpTook() { return player?.jumpTook; },
  get fetched() { return player?.fetched ?? 0; },
  get times() { return { ...times }; },
  get span() { return archive?.span; },
  get facts() { return structuredClone(archive?.facts); },
  get cues() { return structuredClone(archive?.cues ?? []); },
  get proof() { return structuredClone(proof); },
  get pictures() { return wall?.states ?? []; },
  get loop() { return { start: loop?.start, end: loop?.end }; },
  get redaction() { return structuredClone(redaction?.order); },
});
