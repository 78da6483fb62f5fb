/**
 * Training: simulated callers are started here, and everything else is as with real ones, but marked.
 * @module
 */

import { expose } from "../shared/access.js";
import { build, element, keepRows, replaceWhenNew, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { priorities } from "../shared/priority.js";
import { openShell } from "../shared/shell.js";
import { clock } from "../shared/times.js";
import { counted } from "./words.js";

/** Milliseconds between two looks at what is running. */
const refresh = 2000;

const shell = await openShell({ title: "Exercise" });
const { session } = shell;
let running = [];
let timer;
/** Exercises that were asked to stop once; the second time counts. */
const doubtful = new Map();

// MARK: The form

const option = ([value, words]) => build("option", { value }, words);

function buildForm(scenarios) {
  const types = new Map(scenarios.map(({ name, type }) => [name, type]));
  const scenario = build("select", { name: "scenario", id: "scenario", onchange: () => type.setAttribute("placeholder", types.get(scenario.value)) }, ...scenarios.map(({ name, title }) => option([name, title])));
  const type = build("input", { name: "type", id: "type", maxlength: 64, placeholder: scenarios[0].type });
  element("start").replaceChildren(
    build("p", { class: "explain" }, build("span", { class: "exercise-mark" }, "EXERCISE"), " Callers are simulated: a recorded clip, a made-up place, messages by script. Nobody outside is called, and no figure counts them."),
    build("label", { for: "scenario" }, "Story"), scenario,
    build("div", { class: "row two" },
      build("div", {}, build("label", { for: "callers" }, "Simulated callers, 1 to 8"), build("input", { id: "callers", name: "callers", type: "number", min: 1, max: 8, value: 2, required: true, inputmode: "numeric" })),
      build("div", {}, build("label", { for: "priority" }, "Priority"), build("select", { id: "priority", name: "priority" }, ...Object.entries(priorities).map(([name, words]) => option([name, `${name}, ${words}`]))))),
    build("label", { class: "check", for: "apart" }, build("input", { id: "apart", name: "apart", type: "checkbox" }), "Each caller is an incident of their own"),
    build("div", { class: "row two" },
      build("div", {}, build("label", { for: "minutes" }, "Ends by itself after, minutes"), build("input", { id: "minutes", name: "minutes", type: "number", min: 1, max: 60, value: 20, required: true, inputmode: "numeric" })),
      build("div", {}, build("label", { for: "type" }, "Type, if not the story's"), type)),
    build("label", { for: "place" }, "Where, for display"), build("input", { id: "place", name: "place", maxlength: 500, placeholder: "Hafenstraße 12" }),
    build("p", { class: "problem", role: "alert", id: "problem" }),
    build("button", { class: "primary" }, icon("train"), "Start the exercise"));
}

async function start(event) {
  event.preventDefault();
  const form = new FormData(element("start"));
  const button = element("start").querySelector("button");
  button.disabled = true;
  setText(element("problem"), "");
  const place = form.get("place").trim();
  const type = form.get("type").trim();
  try {
    const exercise = await session.post("/api/v1/exercises", {
      callers: Number(form.get("callers")), priority: form.get("priority"), scenario: form.get("scenario"),
      minutes: Number(form.get("minutes")), apart: form.get("apart") === "on",
      ...(type && { type }), ...(place && { place: { text: place } }),
    });
    shell.toast(`The exercise has begun: ${exercise.incidents.map(({ id }) => id).join(", ")}.`);
  } catch (error) {
    setText(element("problem"), error.message);
  }
  button.disabled = false;
  load();
}

// MARK: What is running

async function load() {
  clearTimeout(timer);
  try {
    const answer = await session.get("/api/v1/exercises");
    running = answer.exercises;
    if (!element("start").hasChildNodes()) buildForm(answer.scenarios);
    shell.state("");
    render();
  } catch (error) {
    if (element("start").hasChildNodes()) shell.state(error.message);
    else setText(element("state"), error.message);
  }
  timer = setTimeout(load, refresh);
}

function render() {
  const callers = running.reduce((sum, exercise) => sum + exercise.callers, 0);
  setText(element("state"), running.length === 0 ? "None is running" : `${counted(running.length, "exercise")} running, ${counted(callers, "simulated caller")}`);
  element("none").hidden = running.length > 0;
  keepRows(element("running"), running, ({ id }) => id, makeRow, updateRow);
}

function makeRow({ id, title, startedBy }) {
  return build(
    "li", { dataset: { exercise: id } },
    build("p", { class: "running-title" }, build("span", { class: "exercise-mark" }, "EXERCISE"), build("strong", {}, title)),
    build("p", { class: "running-facts figures" }),
    build("p", { class: "running-by" }, `Started by ${startedBy.name}`),
    build("ul", { class: "running-incidents" }),
    build("div", { class: "row" }, build("button", { class: "danger", type: "button", onclick: () => stop(id) }, icon("end"), build("span", {}, "Stop"))));
}

function updateRow(row, { id, callers, endsAt, incidents }) {
  const left = Math.max(0, (Date.parse(endsAt) - Date.now()) / 1000);
  setText(row.querySelector(".running-facts"), `${counted(callers, "caller")}, ends by itself in ${clock(left)}`);
  replaceWhenNew(row.querySelector(".running-incidents"), incidents, () => incidents.map((incident) => build(
    "li", {}, build("a", { class: "button", href: session.address(`/console/${encodeURIComponent(incident.id)}`) }, icon("list"), incident.id),
    build("span", {}, incident.open ? counted(incident.callers, "caller") : "ended"))));
  setText(row.querySelector("button span"), doubtful.has(id) ? "Really stop: its incidents end" : "Stop");
}

/** Stopping ends incidents on which people may be training: it takes a second press. */
async function stop(id) {
  if (!doubtful.has(id)) {
    doubtful.set(id, setTimeout(() => {
      doubtful.delete(id);
      render();
    }, 5000));
    render();
    return;
  }
  clearTimeout(doubtful.get(id));
  doubtful.delete(id);
  try {
    await session.request("DELETE", `/api/v1/exercises/${encodeURIComponent(id)}`);
    shell.toast("The exercise is over. Its incidents are in the archive, marked as exercises.");
  } catch (error) {
    shell.toast(error.message, { isProblem: true });
  }
  load();
}

element("start").addEventListener("submit", start);
shell.shortcuts.add({ key: "n", words: "Start an exercise: go to the form", action: () => element("scenario")?.focus() });
setInterval(render, 1000);
expose({ get running() { return structuredClone(running); } });
load();
