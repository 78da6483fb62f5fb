/**
 * What has happened, in plain words, and which group it belongs to.
 * @module
 */

import { distance } from "../shared/times.js";
import { commands, failures, outcomes, stages, states, unitStates } from "./words.js";

/** @typedef {"decisions" | "people" | "talk" | "media" | "place"} Group */

/** Kinds whose sentence says itself whom it is about. */
const impersonal = new Set(["caller.stage", "link.delivery", "media.source", "media.view", "media.recording", "command.result", "unit.status", "file.rejected"]);

/** Groups as the filter names them. */
export const groups = { decisions: "Decisions", people: "People", talk: "Talk", media: "Picture", place: "Place" };

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const named = (model, id) => model.callers.get(id)?.name ?? "Caller";
const quoted = (text, most = 160) => `“${text.length > most ? `${text.slice(0, most - 1)}…` : text}”`;

const pictures = { audioOnly: "no picture", stills: "a still picture every few seconds", layer: "a smaller picture", all: "all of the picture again" };

/** By kind: the group and a sentence without its subject, from the payload. @type {Record<string, [Group, (payload: any, model: any) => string]>} */
const table = {
  "incident.opened": ["decisions", ({ priority, type, exercise }) => `opened it as ${priority}${type ? `, ${type}` : ""}${exercise ? ", an exercise" : ""}`],
  "incident.state": ["decisions", ({ state, outcome, reason }) => `set it to ${states[state]}${outcome ? `: ${outcomes[outcome].toLowerCase()}` : ""}${reason ? ` (${reason})` : ""}`],
  "incident.classified": ["decisions", ({ priority, type, place }) => `said: ${[priority, type, place && (place.text ?? `at ${place.lat}, ${place.lon}`)].filter(Boolean).join(", ")}`],
  "incident.mergeSuggested": ["decisions", ({ other, metres }) => `found #${other} ${distance(metres)} away: perhaps the same event`],
  "incident.merged": ["decisions", ({ into }) => `merged it into #${into}`],
  "incident.absorbed": ["decisions", ({ from }) => `merged #${from} into this one`],
  "assignment.added": ["people", ({ name }) => `gave it to ${name}`],
  "assignment.removed": ["people", ({ account, reason }, model) => `took ${model.nameOf(account)} off it${reason ? `: ${reason}` : ""}`],
  "unit.assigned": ["people", ({ unit, name }) => `sent ${name ?? unit}`],
  "unit.status": ["people", ({ unit, status }) => `${unit}: ${unitStates[status]}`],
  "unit.stoodDown": ["people", ({ unit, reason }) => `stood ${unit} down${reason ? `: ${reason}` : ""}`],
  "caller.added": ["people", ({ name, phone }) => `added ${[name ?? "a caller", phone].filter(Boolean).join(", ")}`],
  "caller.stage": ["people", ({ caller, stage, reason, detail }, model) =>
    `${named(model, caller)}: ${stages[stage]}${reason ? `, ${failures[reason]}` : ""}${detail ? ` (${detail})` : ""}`],
  "link.created": ["people", ({ role, name }) => `made a link for ${name ?? role}`],
  "link.sent": ["people", ({ by, to }) => (by === "shown" ? "showed a link" : `sent a link by ${by === "sms" ? "SMS" : "mail"}${to ? ` to ${to}` : ""}`)],
  "link.delivery": ["people", ({ state, detail }) => `Link ${state}${detail ? `: ${detail}` : ""}`],
  "link.revoked": ["people", ({ link }, model) => `withdrew the link of ${model.links.get(link)?.name ?? "somebody"}`],
  chat: ["talk", ({ text, to }) => `wrote${to === "team" ? " to the team" : ""}: ${quoted(text)}`],
  note: ["talk", ({ text, guests }) => `noted${guests ? " (for guests as well)" : ""}: ${quoted(text)}`],
  triage: ["decisions", ({ fields }) => `answered: ${Object.entries(fields).map(([name, value]) => `${name} ${value || "taken back"}`).join(", ")}`],
  location: ["place", ({ lat, lon, accuracy, source }) => `is at ${lat.toFixed(5)}, ${lon.toFixed(5)}${accuracy === undefined ? "" : `, within ${distance(accuracy)}`} (${source})`],
  "unit.location": ["place", ({ unit, lat, lon }) => `${unit} is at ${lat.toFixed(5)}, ${lon.toFixed(5)}`],
  command: ["media", ({ caller, command, argument }, model) => `asked ${named(model, caller)}: ${commands[command]}${argument ? ` ${quoted(argument)}` : ""}`],
  "command.result": ["media", ({ command, status, detail }, model) => {
    const asked = model.commands.find(({ number }) => number === command);
    return `${asked ? capital(commands[asked.command]) : "Command"}: ${status}${detail ? ` (${detail})` : ""}`;
  }],
  "file.added": ["talk", ({ name, purpose, visibility }) => `added ${purpose} ${name}${visibility === "team" ? " for the team" : ""}`],
  "file.rejected": ["talk", ({ name, reason }) => `File ${name} was refused: ${reason}`],
  "snapshot.taken": ["media", () => "took a snapshot"],
  "media.source": ["media", ({ kind, state }) => `${kind === "video" ? "Picture" : "Sound"}: ${state}`],
  "media.watching": ["media", ({ on }) => (on ? "began to watch" : "watches no longer")],
  "media.revealed": ["media", ({ on }) => (on ? "revealed the picture" : "hid the picture")],
  "media.view": ["media", ({ name, to, reason }) => `${name} sees ${pictures[to] ?? pictures.layer}${to === "all" ? "" : reason === "overload" ? ": more urgent calls came first" : ": their line was too weak"}`],
  "media.recording": ["media", ({ state }) => `Recording: ${state}`],
  "replay.opened": ["media", () => "looked at the recording"],
  "export.requested": ["decisions", ({ reason }) => `asked for an export${reason ? `: ${reason}` : ""}`],
  "export.decided": ["decisions", ({ decision }) => `export: ${decision ?? "decided"}`],
  "export.finished": ["decisions", ({ state }) => `export ${state ?? "finished"}`],
  "retention.hold": ["decisions", ({ held }) => (held ? "put it on hold: nothing is deleted" : "lifted the hold")],
  "retention.deleted": ["decisions", () => "deleted what was over its time"],
};

/**
 * @param {import("../shared/metadata.js").IncidentEvent} event
 * @param {import("../shared/incident.js").IncidentModel} model
 * @returns {{group: Group, who: string, text: string} | undefined} nothing for what is of no interest
 */
export function describe({ kind, payload, actor }, model) {
  if (!(kind in table)) return undefined;
  const [group, words] = table[kind];
  const nameOf = (account) => model.events.find(({ kind: each, payload: { account: id } }) => each === "assignment.added" && id === account)?.payload.name ?? "somebody";
  const { callers, links, commands: asked } = model;
  return { group, who: impersonal.has(kind) ? "" : actor.role === "system" ? "Service" : actor.name, text: words(payload, { callers, links, commands: asked, nameOf }) };
}
