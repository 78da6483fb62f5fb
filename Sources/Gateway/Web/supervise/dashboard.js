/**
 * Figures: how soon calls are answered, where set-up loses people, how soon there is a picture, load and storage.
 * @module
 */

import { expose } from "../shared/access.js";
import { build, element, setText } from "../shared/dom.js";
import { openShell } from "../shared/shell.js";
import { bytes, dayAndTime, timeOfDay } from "../shared/times.js";
import { distribution, funnel, gauge, panel, percent, series } from "./plots.js";
import { counted, reasons, stages } from "./words.js";

/** Milliseconds between two looks. */
const refresh = 15_000;
const hourTime = 3_600_000;

const shell = await openShell({ title: "Figures" });
let days = 0;
/** What the service said last. */
let figures;
let timer;
/** Counts questions, so that an answer to an older one is passed over. */
let asked = 0;

function period() {
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  if (days > 0) midnight.setDate(midnight.getDate() - days + 1);
  return { from: midnight.toISOString(), to: new Date().toISOString() };
}

async function load() {
  clearTimeout(timer);
  const mine = (asked += 1);
  try {
    const answer = await shell.session.get("/api/v1/figures", { ...period(), exercise: element("exercise").checked || undefined });
    if (mine !== asked) return;
    // Equal figures leave the page alone: somebody may be reading a table.
    const gist = (each) => JSON.stringify({ ...each, space: Math.round((each?.space.archive ?? 0) / 1e6), to: 0, disk: each?.space.diskCapacity });
    const isNews = gist(answer) !== gist(figures);
    figures = answer;
    if (isNews) render();
    shell.state("");
    setText(element("state"), stateWords());
  } catch (error) {
    if (mine !== asked) return;
    if (figures) shell.state(`${error.message} What is shown is of ${timeOfDay(figures.to)}.`);
    else setText(element("state"), error.message);
  }
  timer = setTimeout(load, figures?.complete === false ? 1000 : refresh);
}

function stateWords() {
  const from = dayAndTime(figures.from);
  const kind = element("exercise").checked ? "exercises" : "without exercises";
  const note = figures.complete ? "" : " · still reading the journals, numbers are too low";
  return `Since ${from}, ${kind}${note}`;
}

function render() {
  const open = new Set([...document.querySelectorAll(".plot details[open]")].map((each) => each.closest("section").querySelector("h2").textContent));
  const { now } = figures;
  element("now").replaceChildren(...[
    ["Open now", now.incidents], ["Waiting", now.waiting], ["Live callers", now.live], ["Watching", now.watching],
  ].map(([name, value]) => build("div", {}, build("dt", {}, name), build("dd", { class: "figures" }, String(value)))));
  element("figures").replaceChildren(answers(), funnelPanel(), firstPicture(), load24(), storage(), timeline());
  for (const section of document.querySelectorAll(".plot")) {
    if (open.has(section.querySelector("h2").textContent)) section.querySelector("details").open = true;
  }
}

// MARK: Panels

function answers() {
  const { answers: facts } = figures;
  const title = "Time until somebody took the call";
  if (facts.count === 0) return panel({ title, empty: facts.opened > 0 ? `${counted(facts.opened, "incident")}, none taken yet.` : "No incident in this time." });
  const targets = facts.targets.map(({ seconds, share, within }) => {
    const reached = within / facts.count;
    return `${percent(reached)} within ${seconds} s (${reached >= share ? "target met" : "below the target"}: ${percent(share)})`;
  });
  const words = `${targets.join("; ")}. Half within ${seconds(facts.median)}, 90 % within ${seconds(facts.p90)}. ${counted(facts.opened - facts.count, "incident")} never taken.`;
  return panel({
    title, words, plot: distribution({ ...facts, marks: facts.targets.map(({ seconds: at }) => ({ at, words: `${at} s` })), label: `${title}: ${words}` }),
    columns: ["Up to", "Incidents"], rows: binRows(facts),
  });
}

function funnelPanel() {
  const { stages: steps, dropOuts } = figures.funnel;
  const title = "From the wish to the picture";
  if (steps[0].count === 0) return panel({ title, empty: "No caller was asked for a picture in this time." });
  const lostAfter = (stage) => dropOuts.filter(({ after }) => after === stage)
    .map(({ reason, count }) => `${count} × ${reasons[reason] ?? reason}`).join(", ");
  const rows = steps.map(({ stage, count }) => ({ name: stages[stage] ?? stage, count, lost: lostAfter(stage) }));
  const live = steps.at(-1).count;
  return panel({
    title, words: `${percent(live / steps[0].count)} of ${counted(steps[0].count, "session")} came to a picture. Beside each step: who was lost after it, and why.`,
    plot: funnel(rows), columns: ["Step", "Sessions", "Lost after it"], rows: rows.map(({ name, count, lost }) => [name, count, lost || "none"]),
  });
}

function firstPicture() {
  const { fromOpened, fromSent } = figures.firstPicture;
  const title = "Time to the first picture";
  if (fromOpened.count + fromSent.count === 0) return panel({ title, empty: "No picture came in this time." });
  const part = (facts, from) => facts.count > 0 && `${from}: half within ${seconds(facts.median)}, 90 % within ${seconds(facts.p90)}`;
  const words = `${[part(fromOpened, "From the opened link"), part(fromSent, "from the sent link")].filter(Boolean).join("; ")}.`;
  const shown = fromOpened.count > 0 ? fromOpened : fromSent;
  return panel({
    title, words, plot: distribution({ ...shown, label: `${title}. ${words}` }), columns: ["Up to", "Callers"], rows: binRows(shown),
  });
}

/** Load by hour of the day, the busiest hours at a glance. */
function load24() {
  const title = "New incidents by hour of the day";
  const sums = new Array(24).fill(0);
  for (const { hour, opened } of figures.hours) sums[new Date(hour).getHours()] += opened;
  if (Math.max(...sums) === 0) return panel({ title, empty: "No incident in this time." });
  const busiest = sums.indexOf(Math.max(...sums));
  const label = (hour) => `${String(hour).padStart(2, "0")}`;
  const words = `Most between ${label(busiest)} and ${label(busiest + 1)} h: ${sums[busiest]} of ${sums.reduce((sum, count) => sum + count, 0)}.`;
  return panel({
    title, words, plot: series({ labels: sums.map((_, hour) => label(hour)), columns: sums, label: `${title}. ${words}`, every: 3 }),
    columns: ["Hour", "Incidents"], rows: sums.map((count, hour) => [`${label(hour)} h`, count]),
  });
}

/** What was going on, hour by hour. */
function timeline() {
  const title = "Load, hour by hour";
  const from = Date.parse(figures.from);
  const count = Math.max(1, Math.round((Date.parse(figures.to) - from) / hourTime));
  const byHour = new Map(figures.hours.map((each) => [Date.parse(each.hour), each]));
  const rows = Array.from({ length: count }, (_, index) => byHour.get(from + index * hourTime) ?? { hour: new Date(from + index * hourTime).toISOString(), opened: 0, incidents: 0, live: 0, watching: 0 });
  const most = (key) => Math.max(...rows.map((row) => row[key]));
  const words = `Columns: open incidents, at most ${most("incidents")} in one hour. Solid line: live callers, at most ${most("live")}. Dotted line: people who watched, at most ${most("watching")}.`;
  const places = innerWidth < 600 ? 4 : 8;
  const label = ({ hour }) => (count > 24 ? dayAndTime(hour).slice(5, 10) : timeOfDay(hour).slice(0, 5));
  return panel({
    title, wide: true, words,
    plot: series({
      wide: true, labels: rows.map(label), columns: rows.map(({ incidents }) => incidents), label: `${title}. ${words}`,
      lines: [{ name: "live", kind: "live", values: rows.map(({ live }) => live) }, { name: "watching", kind: "watching", values: rows.map(({ watching }) => watching) }],
      every: count > 24 ? Math.ceil(count / 24 / places) * 24 : Math.max(1, Math.ceil(count / (places + 4))),
    }),
    columns: ["Hour", "New", "Open", "Live", "Watching"],
    rows: rows.filter((row) => row.opened + row.incidents + row.live + row.watching > 0)
      .map((row) => [dayAndTime(row.hour), row.opened, row.incidents, row.live, row.watching]),
  });
}

function storage() {
  const { space, recordings } = figures;
  const share = space.quota > 0 ? space.archive / space.quota : 0;
  const disk = space.diskCapacity > 0 ? 1 - space.diskFree / space.diskCapacity : 0;
  // The service measures its disk a moment after its start.
  const room = space.diskCapacity > 0
    ? `Recordings take ${bytes(space.archive)} of ${bytes(space.quota)}; ${bytes(space.diskFree)} of the disk are free.`
    : "How much room there is has not been measured yet.";
  const words = `${counted(recordings.begun, "recording")} begun, ${recordings.sealed} sealed, ${counted(recordings.alarms, "alarm")}. ${room}`;
  return panel({
    title: "Recordings and storage", words,
    plot: build("div", { class: "gauges" },
      build("p", {}, `Recordings, ${percent(share)} of what they may take`), gauge(share, `Recordings take ${percent(share)} of their room`),
      build("p", {}, `Disk, ${percent(disk)} full`), gauge(disk, `The disk is ${percent(disk)} full`)),
    columns: ["What", "Number"],
    rows: [
      ["Recordings begun", recordings.begun], ["Sealed", recordings.sealed], ["Alarms", recordings.alarms],
      ["Recordings take", bytes(space.archive)], ["They may take", bytes(space.quota)], ["Free on the disk", bytes(space.diskFree)],
    ],
  });
}

function seconds(value) {
  return value === undefined ? "more than 120 s" : `${value} s`;
}

function binRows({ bins, beyond }) {
  return [...bins.map(([upTo, count]) => [`${upTo} s`, count]), ...(beyond > 0 ? [["more than 120 s", beyond]] : [])];
}

// MARK: Commands

function choose(wanted) {
  days = wanted;
  for (const button of document.querySelectorAll("[data-days]")) button.setAttribute("aria-pressed", String(Number(button.dataset.days) === days));
  load();
}

for (const button of document.querySelectorAll("[data-days]")) button.addEventListener("click", () => choose(Number(button.dataset.days)));
element("exercise").addEventListener("change", load);
shell.shortcuts.add(
  { key: "1", words: "Today", action: () => choose(0) },
  { key: "2", words: "7 days", action: () => choose(7) },
  { key: "3", words: "30 days", action: () => choose(30) },
  { key: "x", words: "Exercises, or real incidents", action: () => element("exercise").click() },
);
expose({
  get figures() { return structuredClone(figures); },
  get days() { return days; },
});
load();
