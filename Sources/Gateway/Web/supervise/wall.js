/**
 * The wall: every open incident with a still, most urgent first. Pictures are blurred until somebody chooses to look.
 * @module
 */

import { expose } from "../shared/access.js";
import { element, keepRows, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { IncidentList } from "../shared/incidentlist.js";
import { openShell } from "../shared/shell.js";
import { Enlarged } from "./enlarged.js";
import { Stills } from "./stills.js";
import { makeTile, updateTile, updateTimes } from "./tile.js";
import { counted } from "./words.js";

/** Stages in which there may be a picture. */
const pictured = new Set(["live", "paused"]);

const shell = await openShell({ title: "Wall" });
const { session } = shell;
const list = new IncidentList(session);
const stills = new Stills(session);
const enlarged = new Enlarged(element("enlarged"), session);
const tiles = element("tiles");
let isRevealed = false;
let shows = "all";
/** Incidents whose journal knows that this wall shows them clear. @type {Set<string>} */
const revealed = new Set();
/** Tiles that are in sight. @type {Set<string>} */
const inSight = new Set();

const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) inSight.add(target.dataset.incident);
    else inSight.delete(target.dataset.incident);
  }
  follow();
}, { root: document.querySelector(".tiles-box"), rootMargin: "120px" });

// MARK: What the page shows

function shown() {
  return list.sorted.filter((incident) =>
    shows === "all" || (shows === "live" ? pictured.has(incident.stage) : !incident.exercise));
}

function render() {
  const incidents = shown();
  const known = new Set(list.incidents.keys());
  for (const tile of tiles.children) {
    if (!incidents.some(({ id }) => id === tile.dataset.incident)) watcher.unobserve(tile);
  }
  for (const id of [...stills.pictures.keys()]) if (!known.has(id)) stills.forget(id);
  keepRows(tiles, incidents, ({ id }) => id, make, (tile, incident) => updateTile(tile, incident, stills.pictures.get(incident.id), viewOf(incident)));
  const nothing = element("nothing");
  nothing.hidden = incidents.length > 0 || !list.isConnected;
  setText(nothing, list.incidents.size === 0 ? "No incident is open. New ones appear here by themselves." : "No open incident fits this choice.");
  setText(element("counts"), countWords());
  shell.state(list.isConnected ? "" : "No connection right now. Trying again.");
  if (enlarged.incident && list.isConnected && !known.has(enlarged.incident)) {
    shell.toast(`Incident ${enlarged.incident} is over.`);
    enlarged.close();
  }
  follow();
  noteRevealed();
}

function viewOf({ id }) {
  return { isRevealed, isEnlarged: enlarged.incident === id };
}

function make(incident) {
  const tile = makeTile(incident, {
    enlarge, consoleAddress: session.address(`/console/${encodeURIComponent(incident.id)}`),
  });
  watcher.observe(tile);
  return tile;
}

function countWords() {
  if (!list.isConnected) return "Connecting";
  const all = [...list.incidents.values()];
  const waiting = all.filter(({ state }) => state === "new" || state === "queued").length;
  const live = all.filter(({ stage }) => stage === "live").length;
  return `${counted(all.length, "open incident")}, ${waiting} waiting, ${live} live`;
}

/** Pictures are fetched of what is in sight and may have one. */
function follow() {
  stills.follow(shown().filter(({ id, stage }) => inSight.has(id) && (pictured.has(stage) || stills.pictures.get(id)?.address)).map(({ id }) => id));
}

function renderReveal() {
  const button = element("reveal");
  button.setAttribute("aria-pressed", String(isRevealed));
  button.replaceChildren(icon(isRevealed ? "eyeOff" : "eye"), isRevealed ? "Hide the pictures" : "Reveal the pictures");
}

// MARK: Commands

function reveal() {
  isRevealed = !isRevealed;
  enlarged.reveal(isRevealed);
  renderReveal();
  render();
}

/** What was revealed, by whom and when, is in each incident's timeline. */
async function noteRevealed() {
  const wanted = isRevealed ? [...list.incidents.keys()].filter((id) => stills.pictures.get(id)?.address) : [];
  const on = wanted.filter((id) => !revealed.has(id));
  const off = isRevealed ? [] : [...revealed].filter((id) => list.incidents.has(id));
  for (const id of on) revealed.add(id);
  if (!isRevealed) revealed.clear();
  for (const [id, isOn] of [...on.map((id) => [id, true]), ...off.map((id) => [id, false])]) {
    try {
      await session.post(`/api/v1/incidents/${encodeURIComponent(id)}/events`, { kind: "media.revealed", payload: { on: isOn } });
    } catch (error) {
      shell.toast(`${id}: ${error.message}`, { isProblem: true });
    }
  }
}

function enlarge(id) {
  if (enlarged.incident === id) {
    enlarged.close();
    return;
  }
  enlarged.open(list.incidents.get(id), isRevealed);
  render();
}

/** The tile that has the focus, else the first. */
function here() {
  return document.activeElement?.closest?.(".tile") ?? tiles.firstElementChild;
}

function move(step) {
  const all = [...tiles.children];
  const tile = document.activeElement?.closest?.(".tile");
  const goal = tile ? all.indexOf(tile) + step : 0;
  all[Math.max(0, Math.min(all.length - 1, goal))]?.querySelector("button").focus();
}

/** Tiles beside one another. */
function columns() {
  const all = [...tiles.children];
  return Math.max(1, all.filter((tile) => tile.offsetTop === all[0].offsetTop).length);
}

shell.shortcuts.add(
  { key: "r", words: "Reveal or hide all pictures", action: reveal },
  { key: "arrowright", words: "Next incident", action: () => move(1) },
  { key: "arrowleft", words: "Incident before", action: () => move(-1) },
  { key: "arrowdown", words: "Incident below", action: () => move(columns()) },
  { key: "arrowup", words: "Incident above", action: () => move(-columns()) },
  { key: "e", words: "Enlarge", action: () => here() && enlarge(here().dataset.incident) },
  { key: "o", words: "Open in the console", action: () => here()?.querySelector(".tile-open").click() },
  { key: "escape", words: "Close the enlarged one", action: () => enlarged.close(), when: () => enlarged.incident !== undefined },
);
element("reveal").addEventListener("click", reveal);
for (const button of document.querySelectorAll("[data-show]")) {
  button.addEventListener("click", () => {
    shows = button.dataset.show;
    for (const other of document.querySelectorAll("[data-show]")) other.setAttribute("aria-pressed", String(other === button));
    render();
  });
}
list.addEventListener("change", render);
enlarged.addEventListener("close", () => {
  render();
  here()?.querySelector("button").focus();
});
stills.addEventListener("still", ({ detail }) => {
  const [tile, incident] = [tiles.querySelector(`[data-incident="${CSS.escape(detail)}"]`), list.incidents.get(detail)];
  if (tile && incident) updateTile(tile, incident, stills.pictures.get(detail), viewOf(incident));
  if (isRevealed) noteRevealed();
});
setInterval(() => {
  for (const tile of tiles.children) {
    const incident = list.incidents.get(tile.dataset.incident);
    if (incident) updateTimes(tile, incident, stills.pictures.get(incident.id));
  }
}, 1000);
addEventListener("pagehide", () => {
  stills.close();
  enlarged.close();
});
expose({
  get incidents() { return list.sorted.map(({ id }) => id); },
  get isRevealed() { return isRevealed; },
  get pictures() { return [...stills.pictures].filter(([, still]) => still.address).map(([id]) => id); },
  get enlarged() { return { incident: enlarged.incident, state: enlarged.state }; },
});
renderReveal();
render();
list.open();
