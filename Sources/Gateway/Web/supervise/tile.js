/**
 * One incident on the wall: its still, how urgent it is, how long it has been, who works on it.
 * @module
 */

import { build, setState, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { priorityMark } from "../shared/priority.js";
import { age, clock, secondsSince } from "../shared/times.js";
import { reasons, stages, states } from "./words.js";

/** Seconds after which a picture is old, and says so. */
const stale = 12;

/**
 * @param {import("../shared/incidentlist.js").Summary} incident
 * @param {{enlarge: (id: string) => void, consoleAddress: string}} actions
 * @returns {HTMLElement}
 */
export function makeTile(incident, { enlarge, consoleAddress }) {
  const title = `tile-${incident.id}`;
  return build(
    "li", { class: "tile", dataset: { incident: incident.id } },
    build(
      "button", { class: "tile-picture", type: "button", "aria-describedby": title, onclick: () => enlarge(incident.id) },
      build("img", { alt: "", hidden: true }), build("span", { class: "tile-note" }), build("span", { class: "tile-age figures" }),
      build("span", { class: "unseen" }, "Enlarge")),
    build(
      "div", { class: "tile-text", id: title },
      build("p", { class: "tile-head" }, build("span", { class: "tile-priority" }), build("span", { class: "tile-clock figures" })),
      build("p", { class: "tile-name" }, build("strong"), build("span", { class: "figures" }, `#${incident.id}`)),
      build("p", { class: "tile-facts" }, build("span", { class: "tile-stage" }), build("span", { class: "tile-place" })),
      build("p", { class: "tile-staff" }, icon("user"), build("span"))),
    build("a", { class: "button tile-open", href: consoleAddress }, "Open", build("span", { class: "unseen" }, ` ${incident.id}`)));
}

/**
 * @param {HTMLElement} tile
 * @param {import("../shared/incidentlist.js").Summary & {staff?: {name: string}[], stageAt?: string, failure?: string, answeredAt?: string}} incident
 * @param {import("./stills.js").Still | undefined} still
 * @param {{isRevealed: boolean, isEnlarged: boolean}} view
 */
export function updateTile(tile, incident, still, { isRevealed, isEnlarged }) {
  const part = (name) => tile.querySelector(name);
  tile.dataset.priority = incident.priority;
  setState(tile, "data-enlarged", isEnlarged);
  setState(part("button"), "aria-pressed", String(isEnlarged));
  const mark = part(".tile-priority");
  if (mark.dataset.value !== `${incident.priority} ${incident.exercise}`) {
    mark.dataset.value = `${incident.priority} ${incident.exercise}`;
    const exercise = incident.exercise && build("span", { class: "exercise-mark" }, "EXERCISE");
    mark.replaceChildren(...[priorityMark(incident.priority), exercise].filter(Boolean));
  }
  setText(part("strong"), incident.type || "No type yet");
  setText(part(".tile-stage"), stageWords(incident));
  setText(part(".tile-place"), incident.place?.text ?? "");
  const names = (incident.staff ?? []).map(({ name }) => name).join(", ");
  setText(part(".tile-staff span"), names || "Nobody has it");
  setState(part(".tile-staff"), "data-alone", names === "");
  showStill(tile, incident, still, isRevealed);
  updateTimes(tile, incident, still);
}

/** What changes with every second. */
export function updateTimes(tile, incident, still) {
  const part = (name) => tile.querySelector(name);
  setText(part(".tile-clock"), clock(Math.max(0, secondsSince(incident.openedAt))));
  const old = still?.takenAt ? (Date.now() - still.takenAt) / 1000 : 0;
  setState(tile, "data-stale", old > stale);
  setText(part(".tile-age"), still?.takenAt ? (old > stale ? `Picture ${age(old)}` : age(old)) : "");
}

function showStill(tile, incident, still, isRevealed) {
  const image = tile.querySelector("img");
  const address = still?.address ?? "";
  image.hidden = address === "";
  if (address && image.src !== address) image.src = address;
  setState(tile, "data-blurred", !isRevealed && address !== "");
  setText(tile.querySelector(".tile-note"), address ? "" : still?.problem ?? emptyWords(incident));
}

function emptyWords({ stage, failure }) {
  if (stage === "live" || stage === "connecting") return "Waiting for a picture";
  return failure ? `No picture: ${reasons[failure] ?? failure}` : "No picture";
}

function stageWords({ stage, failure, state, callers }) {
  const call = stage ? `${stages[stage] ?? stage}${failure ? `: ${reasons[failure] ?? failure}` : ""}` : "no caller yet";
  return [states[state] ?? state, callers > 1 ? `${callers} callers, ${call}` : call].join(" · ");
}
