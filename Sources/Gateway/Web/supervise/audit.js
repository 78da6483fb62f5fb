/**
 * Who did what, when and why: the service's audit journal, and with an incident that incident's own trail.
 * @module
 */

import { expose } from "../shared/access.js";
import { build, element, setText } from "../shared/dom.js";
import { openShell } from "../shared/shell.js";
import { dayAndTime, timeOfDay } from "../shared/times.js";
import { describe, incidentKinds, kinds } from "./auditwords.js";
import { counted } from "./words.js";

const pageSize = 100;
/** Milliseconds of rest after the last key before it is looked again. */
const typingRest = 300;
/** Entries of an incident that are read; the journal has all. */
const maximumIncidentEvents = 20_000;

const shell = await openShell({ title: "Audit" });
const { session } = shell;
const options = new URLSearchParams(location.search);
/** Where the next page begins; undefined at the end. */
let next;
let shown = 0;
let asked = 0;
let timer;
/** The incident's entries that were read last. @type {{incident: string, events: object[]} | undefined} */
let trail;

// MARK: Filters

const fields = {
  person: build("input", { id: "person", type: "search", maxlength: 64, placeholder: "name or identifier" }),
  kind: build("select", { id: "kind" }),
  incident: build("input", { id: "incident", type: "search", maxlength: 64, placeholder: "number, for its own trail" }),
  text: build("input", { id: "text", type: "search", maxlength: 200, placeholder: "any words" }),
  looks: build("input", { id: "looks", type: "checkbox" }),
};

function buildFilters() {
  const field = (name, words) => build("div", {}, build("label", { for: name }, words), fields[name]);
  element("filters").replaceChildren(
    field("text", "Words"), field("person", "Who"), field("kind", "What"), field("incident", "Incident"),
    build("label", { class: "check", for: "looks" }, fields.looks, "Also looks at the audit itself"));
  fields.incident.value = options.get("incident") ?? "";
  fields.person.value = options.get("person") ?? "";
  fillKinds();
}

/** What can be chosen depends on whose journal is read. */
function fillKinds() {
  const all = Object.entries(fields.incident.value.trim() ? { ...incidentKinds, "audit.access": kinds["audit.access"] } : kinds);
  const value = fields.kind.value;
  fields.kind.replaceChildren(build("option", { value: "" }, "anything"), ...all.map(([name, words]) => build("option", { value: name }, words)));
  if (all.some(([name]) => name === value)) fields.kind.value = value;
}

// MARK: Reading

async function load({ isMore = false } = {}) {
  const mine = (asked += 1);
  setText(element("problem"), "");
  if (!isMore) keep();
  try {
    const incident = fields.incident.value.trim();
    const page = incident ? await readTrail(incident, isMore) : await readAudit(isMore ? next : 0);
    if (mine === asked) show(page, isMore);
  } catch (error) {
    if (mine !== asked) return;
    setText(element("problem"), error.message);
    setText(element("state"), "");
    if (!isMore) show({ events: [] }, false);
  }
}

function readAudit(before) {
  return session.get("/api/v1/audit", {
    before: before || "0", limit: pageSize, person: fields.person.value.trim(), kind: fields.kind.value, text: fields.text.value.trim(),
  });
}

/** An incident's own journal, newest first, and the looks at it that the service's journal keeps. */
async function readTrail(incident, isMore) {
  if (!isMore || trail?.incident !== incident) trail = { incident, events: await readIncident(incident) };
  const text = fields.text.value.trim().toLowerCase();
  const person = fields.person.value.trim().toLowerCase();
  const fits = (event) => {
    const { what, why } = describe(event);
    return (!fields.kind.value || event.kind === fields.kind.value)
      && (!person || `${event.actor.id} ${event.actor.name}`.toLowerCase().includes(person))
      && (!text || `${event.actor.name} ${what} ${why}`.toLowerCase().includes(text));
  };
  const events = trail.events.filter(fits);
  const from = isMore ? shown : 0;
  return { events: events.slice(from, from + pageSize), next: from + pageSize < events.length ? from + pageSize : undefined };
}

async function readIncident(incident) {
  const events = [];
  let after = 0;
  while (events.length < maximumIncidentEvents) {
    const page = await session.get(`/api/v1/incidents/${encodeURIComponent(incident)}/events`, { after, limit: 1000 });
    if (page.next === after) break;
    after = page.next;
    events.push(...page.events.filter(({ kind }) => kind in incidentKinds));
  }
  const { events: looks } = await session.get("/api/v1/audit", { before: "0", limit: 500, incident });
  return [...events, ...looks].sort((a, b) => Date.parse(b.time) - Date.parse(a.time));
}

// MARK: Showing

function show({ events, next: following }, isMore) {
  next = following;
  const wanted = events.filter((event) => fields.looks.checked || event.kind !== "audit.access" || event.payload.what !== "audit");
  const rows = wanted.map(row);
  if (isMore) element("entries").append(...rows);
  else element("entries").replaceChildren(...rows);
  shown = isMore ? shown + events.length : events.length;
  element("more").hidden = next === undefined;
  element("nothing").hidden = element("entries").children.length > 0 || element("problem").textContent !== "";
  const incident = fields.incident.value.trim();
  setText(element("state"), `${incident ? `Trail of ${incident}, ` : ""}${counted(element("entries").children.length, "entry", "entries")} shown, newest first`);
}

function row(event) {
  const { what, why, incident } = describe(event);
  const link = incident && build("a", { href: session.address(`/replay/${encodeURIComponent(incident)}`), title: "Replay" }, incident);
  return build(
    "tr", { dataset: { kind: event.kind } },
    build("td", { class: "when" }, build("time", { datetime: event.time }, `${dayAndTime(event.time).slice(0, 10)} ${timeOfDay(event.time)}`)),
    build("td", {}, event.actor.name, build("span", { class: "role" }, event.actor.role)),
    build("td", {}, what), build("td", {}, link), build("td", {}, why));
}

function keep() {
  const address = new URLSearchParams();
  if (options.has("token")) address.set("token", options.get("token"));
  for (const name of ["incident", "person"]) if (fields[name].value.trim()) address.set(name, fields[name].value.trim());
  history.replaceState(null, "", address.size > 0 ? `?${address}` : location.pathname);
}

buildFilters();
element("filters").addEventListener("input", () => {
  clearTimeout(timer);
  fillKinds();
  timer = setTimeout(() => load(), typingRest);
});
element("filters").addEventListener("submit", (event) => {
  event.preventDefault();
  load();
});
element("more").addEventListener("click", () => load({ isMore: true }));
shell.shortcuts.add(
  { key: "/", words: "Search for words", action: () => fields.text.focus() },
  { key: "i", words: "Trail of an incident", action: () => fields.incident.focus() },
  { key: "m", words: "Show earlier entries", action: () => load({ isMore: true }), when: () => !element("more").hidden },
);
expose({
  get entries() { return [...element("entries").children].map(({ dataset, textContent }) => ({ kind: dataset.kind, text: textContent })); },
  get hasMore() { return next !== undefined; },
});
load();
