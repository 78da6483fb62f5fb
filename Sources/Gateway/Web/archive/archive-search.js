/**
 * The page that looks for incidents: filters left, results right, both in the page's address so that a reload keeps them.
 * @module
 */

import { expose } from "../shared/access.js";
import { ServiceError } from "../shared/session.js";
import { openShell } from "../shared/shell.js";
import { nextTheme } from "../shared/theme.js";
import { Strips } from "./strips.js";
import { archive as words, clock } from "../shared/words.js";

/** Milliseconds of rest after the last key before a search goes out. */
const typingRest = 200;
const metresPerDegree = 111_320;
/** Shape and letter say the same as colour. */
const shapes = {
  P1: ["rect", { x: 4, y: 4, width: 16, height: 16 }],
  P2: ["path", { d: "M12 4 21 20H3z" }],
  P3: ["circle", { cx: 12, cy: 12, r: 8 }],
  P4: ["circle", { cx: 12, cy: 12, r: 4 }],
};

const element = (id) => document.getElementById(id);
const filters = element("filters");
const options = new URLSearchParams(location.search);
const token = options.get("token") ?? "";
const shell = await openShell({ title: "Archive" });
const strips = new Strips(shell.session, element("main"));

/** @type {AbortController | undefined} */
let running;
let next = "";
let shown = 0;
let timer = 0;
/** Milliseconds from question to list, of the last search. */
let took = 0;

// MARK: Filters

/** The filters as the address keeps them: what is set, by the fields' names. */
function settings() {
  const set = new URLSearchParams();
  for (const [name, value] of new FormData(filters)) {
    if (value && !(name === "within" && !filters.elements.around.value)) set.append(name, value);
  }
  return set;
}

function restore() {
  for (const field of filters.elements) {
    if (!field.name) continue;
    const values = options.getAll(field.name);
    if (field.type === "checkbox") field.checked = values.includes(field.value);
    else if (values.length > 0) field.value = values[0];
  }
}

function keep() {
  const address = settings();
  for (const name of ["token", "limit"]) if (options.has(name)) address.set(name, options.get(name));
  const text = address.toString();
  history.replaceState(null, "", text ? `?${text}` : location.pathname);
}

/**
 * The question that the filters make; throws words for the person where one cannot be understood.
 * @returns {string}
 */
function question() {
  const set = settings();
  const asked = new Map();
  for (const name of ["text", "person", "type", "state", "outcome", "recorded", "exercise", "held"]) {
    const value = set.get(name)?.trim();
    if (value) asked.set(name, value);
  }
  if (set.has("priority")) asked.set("priority", set.getAll("priority").join(","));
  for (const name of ["from", "to"]) {
    const time = set.get(name) ? new Date(set.get(name)) : undefined;
    if (time && !Number.isNaN(time.getTime())) asked.set(name, time.toISOString());
  }
  if (set.has("around")) asked.set("box", box(set.get("around"), Number(set.get("within"))));
  if (options.has("limit")) asked.set("limit", options.get("limit"));
  // A plus sign is not a space here.
  return [...asked].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
}

/** The box around a place. @param {string} text @param {number} metres */
function box(text, metres) {
  const [latitude, longitude, ...rest] = text.split(/[,;\s]+/).filter(Boolean).map(Number);
  const isPlace = rest.length === 0 && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
  if (!isPlace) throw new RangeError(words.badPlace);
  const high = metres / metresPerDegree;
  const wide = Math.min(180, high / Math.max(0.01, Math.cos((latitude * Math.PI) / 180)));
  const around = (degrees) => ((degrees + 540) % 360) - 180;
  const edges = [Math.max(-90, latitude - high), around(longitude - wide), Math.min(90, latitude + high), around(longitude + wide)];
  return edges.map((edge) => edge.toFixed(5)).join(",");
}

// MARK: Searching

async function search({ isMore = false } = {}) {
  running?.abort();
  const mine = (running = new AbortController());
  const began = performance.now();
  setText("problem", "");
  if (!isMore) keep();
  try {
    const cursor = isMore ? `&cursor=${encodeURIComponent(next)}` : "";
    const answer = await ask(`${question()}${cursor}`);
    if (mine.signal.aborted) return;
    show(answer, isMore);
    took = performance.now() - began;
  } catch (error) {
    if (mine.signal.aborted) return;
    setText("problem", error instanceof RangeError ? error.message : words.failed);
    setText("count", "");
  }
}

async function ask(query) {
  try {
    return await shell.session.get(`/api/v1/archive?${query}`);
  } catch (error) {
    if (!(error instanceof ServiceError) || error.status === 0) throw error;
    throw new RangeError({ 401: words.signIn, 403: words.forbidden }[error.status] ?? error.message);
  }
}

function show(answer, isMore) {
  const list = element("results");
  const rows = answer.incidents.map(row);
  if (isMore) list.append(...rows);
  else list.replaceChildren(...rows);
  shown = list.children.length;
  next = answer.next ?? "";
  element("more").hidden = !next;
  element("nothing").hidden = shown > 0;
  setText("nothing", words.nothing);
  setText("count", words.count(answer.count, answer.countIsExact));
  if (!answer.complete) setText("problem", words.incomplete);
  suggestTypes(answer.incidents);
  element("pictures").hidden = strips.isOn || ![...list.children].some((each) => each.dataset.pictures);
  if (isMore) rows[0]?.querySelector("a, [tabindex]")?.focus();
  else element("main").scrollTop = 0;
}

function suggestTypes(incidents) {
  const list = element("types");
  const known = new Set([...list.children].map((option) => option.value));
  for (const { type } of incidents) {
    if (!type || known.has(type) || known.size > 50) continue;
    known.add(type);
    list.append(make("option", { value: type }));
  }
}

// MARK: Results

function row(incident) {
  const opens = incident.mayReplay && incident.recording !== "none";
  const properties = opens ? { className: "result", href: replayAddress(incident.id) } : { className: "result", tabIndex: 0 };
  const item = make("li", {}, make(opens ? "a" : "div", properties, priority(incident.priority), make(
    "div", {}, headline(incident), details(incident)), marks(incident)));
  if (opens) {
    item.dataset.pictures = incident.id;
    strips.watch(item);
  }
  return item;
}

function replayAddress(id) {
  return `/replay/${encodeURIComponent(id)}${token ? `?token=${encodeURIComponent(token)}` : ""}`;
}

function priority(name) {
  const node = make("span", { className: "priority figures" });
  node.dataset.priority = name;
  const [shape, attributes] = shapes[name] ?? shapes.P4;
  const picture = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" });
  picture.append(svg(shape, attributes));
  node.append(picture, name);
  return node;
}

function headline({ id, type, openedAt, endedAt }) {
  const began = new Date(openedAt);
  const length = endedAt ? `, ${clock((Date.parse(endedAt) - began.getTime()) / 1000)}` : "";
  const time = began.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return make("p", { className: "headline" }, make("b", {}, type ?? words.noType), " ", make(
    "span", { className: "figures" }, `#${id}, `, make("time", { dateTime: openedAt }, time), length));
}

function details({ place, lat, lon, state, outcome, callers, staff }) {
  const where = place?.text ?? (lat === undefined ? "" : `${lat.toFixed(5)}, ${lon.toFixed(5)}`);
  const how = outcome ? words.outcomes[outcome] ?? outcome : words.states[state] ?? state;
  return make("p", { className: "details figures" }, [where, how, words.callers(callers), words.staff(staff)].filter(Boolean).join(" · "));
}

function marks({ recording, held, exercise }) {
  const list = [make("span", { className: recording }, words.recording[recording] ?? recording)];
  if (held) list.push(make("span", { className: "held" }, words.held));
  if (exercise) list.unshift(make("span", { className: "exercise" }, words.exercise));
  return make("p", { className: "marks" }, ...list);
}

/**
 * @param {string} name
 * @param {object} properties
 * @param {...(Node | string)} children
 */
function make(name, properties, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function svg(name, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

function setText(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

// MARK: Keys

/** Moves among the results. @param {number} step */
function move(step) {
  const results = [...document.querySelectorAll(".result")];
  const here = results.indexOf(document.activeElement);
  results[Math.min(results.length - 1, Math.max(0, here < 0 ? 0 : here + step))]?.focus();
}

shell.shortcuts.add(
  { key: "/", words: "Search for words", action: () => filters.elements.text.focus() },
  { key: "arrowdown", words: "Next result", action: () => move(1) },
  { key: "arrowup", words: "Result before", action: () => move(-1) },
  { key: "s", words: "Show pictures of the results", action: () => strips.ask(), when: () => !element("pictures").hidden },
  { key: "t", words: "Next theme: dark, light, sunlight", action: nextTheme },
);

/** Out of a field back to the results. */
function leave(event) {
  if (event.key !== "Escape" || !event.target.matches?.("input:not([type='checkbox']), select, textarea")) return;
  event.preventDefault();
  move(0);
}

/** On a narrow page the results come before most of the filters. */
const wide = matchMedia("(min-width: 801px)");
const unfold = () => { if (wide.matches) element("rest").open = true; };

restore();
unfold();
wide.addEventListener("change", unfold);
expose({
  get shown() { return shown; },
  get took() { return took; },
  get hasMore() { return next !== ""; },
  get strips() { return strips.shown; },
});
filters.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => search(), typingRest);
});
filters.addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
filters.addEventListener("reset", () => setTimeout(() => search()));
element("more").addEventListener("click", () => search({ isMore: true }));
element("pictures").addEventListener("click", () => strips.ask());
strips.addEventListener("change", () => {
  element("pictures").hidden = strips.isOn;
});
filters.addEventListener("keydown", leave);
setText("count", words.searching);
search();
