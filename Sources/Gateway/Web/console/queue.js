/**
 * The queue: who waits, for how long, and what everybody else works on. Most urgent first, then whoever has waited longest.
 * @module
 */

import { build, keepRows, setState, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { priorityMark } from "../shared/priority.js";
import { clock, secondsSince } from "../shared/times.js";
import { AnswerClock } from "./answerclock.js";
import { failures, outcomes, stages, states } from "./words.js";

/** Closed incidents that stay in sight for a while, for whoever ended one too early. */
const maximumClosed = 5;

/** @typedef {import("../shared/incidentlist.js").Summary} Summary */

/** Whether nobody has taken it yet. @param {Summary} summary */
export function isWaiting({ state, staff = [] }) {
  return state === "new" || state === "queued" || (state === "reopened" && staff.length === 0);
}

function isOver({ state }) {
  return ["ended", "merged", "cancelled"].includes(state);
}

/** The left column. */
export class Queue {
  #root;
  #desk;
  #shell;
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  #sections;
  #state = build("p", { class: "queue-state", role: "status" });

  /** @param {HTMLElement} root @param {import("./desk.js").Desk} desk @param {import("../shared/shell.js").Shell} shell */
  constructor(root, desk, shell) {
    [this.#root, this.#desk, this.#shell] = [root, desk, shell];
    this.#sections = [
      section("waiting", "Waiting", isWaiting),
      section("mine", "Mine", (summary) => !isOver(summary) && this.#isMine(summary)),
      section("others", "In work", (summary) => !isOver(summary)),
      section("over", "Just ended", isOver),
    ];
    const create = desk.may("open") && build(
      "button", { id: "new", class: "primary new", "aria-keyshortcuts": "N", onclick: () => desk.create.open() },
      icon("add"), build("span", {}, "New incident"), build("kbd", {}, "N"));
    root.append(
      build("header", { class: "queue-head" }, build("h1", { id: "queue-title", class: "unseen" }, "Incidents"), create || "", desk.alert.bar),
      desk.create.root,
      this.#state,
      build("div", { class: "queue-lists" }, ...this.#sections.map(({ root: each }) => each)));
  }

  /** @returns {import("../shared/keys.js").Shortcut[]} */
  get shortcuts() {
    const isHere = () => document.activeElement === document.body || document.activeElement.closest(".queue-lists") !== null;
    return [
      { key: "arrowdown", words: "Next row of the queue", when: isHere, action: () => this.#move(1) },
      { key: "arrowup", words: "Row before", when: isHere, action: () => this.#move(-1) },
      { key: "enter", words: "Take the most urgent call that waits, and see it", when: () => this.#waiting.length > 0, action: () => this.#desk.open(this.#waiting[0].id) },
      { key: "j", words: "Go to the next call that waits", when: () => this.#waiting.length > 0, action: () => this.#nextWaiting() },
    ];
  }

  get #waiting() {
    return this.#desk.list.sorted.filter(isWaiting);
  }

  #isMine({ staff = [] }) {
    return staff.some(({ account }) => account === this.#shell.session.person.id);
  }

  // MARK: Keys

  get #buttons() {
    return [...this.#root.querySelectorAll(".queue-lists .row")];
  }

  #move(step) {
    const buttons = this.#buttons;
    const now = buttons.indexOf(document.activeElement);
    const next = now < 0 ? (step > 0 ? 0 : buttons.length - 1) : Math.min(buttons.length - 1, Math.max(0, now + step));
    buttons[next]?.focus();
  }

  #nextWaiting() {
    this.#desk.layout.toggle("queue", false);
    const waiting = this.#waiting.map(({ id }) => id);
    const now = waiting.indexOf(document.activeElement?.closest("[data-key]")?.dataset.key);
    this.#rows.get(waiting[(now + 1) % waiting.length])?.querySelector(".row").focus();
  }

  // MARK: Rows

  render() {
    const { list } = this.#desk;
    const focused = document.activeElement?.closest?.(".queue-lists [data-key]");
    const control = document.activeElement;
    let rest = list.sorted;
    for (const { root, list: rows, count, includes, name } of this.#sections) {
      let mine = rest.filter(includes);
      rest = rest.filter((summary) => !mine.includes(summary));
      if (name === "over") mine = mine.slice(-maximumClosed);
      setState(root, "hidden", mine.length === 0);
      setText(count, String(mine.length));
      keepRows(rows, mine, ({ id }) => id, ({ id }) => this.#row(id), (row, summary) => this.#update(row, summary));
    }
    for (const id of this.#rows.keys()) if (!list.incidents.has(id)) this.#rows.delete(id);
    // A row that moved up has lost the focus on its way.
    if (focused?.isConnected && document.activeElement !== control) control.focus({ preventScroll: true });
    setText(this.#state, this.#stateWords(list));
  }

  #stateWords(list) {
    if (!list.isConnected) return list.incidents.size > 0 ? "No connection: this may be out of date." : "Fetching the queue";
    return list.incidents.size === 0 ? "No open incidents." : "";
  }

  #row(id) {
    const known = this.#rows.get(id);
    if (known) return known;
    const row = build("li", { class: "queue-row" });
    row.clock = new AnswerClock();
    row.parts = {
      mark: build("span", { class: "mark" }), time: build("span", { class: "time figures" }), title: build("span", { class: "title" }),
      stage: build("span", { class: "row-stage figures" }), who: build("span", { class: "who" }), exercise: build("span", { class: "exercise-mark" }, "EXERCISE"),
      mute: build("button", { class: "quiet mute", onclick: () => this.#desk.alert.mute(id) }),
    };
    const { mark, time, title, stage, who, exercise, mute } = row.parts;
    row.append(build(
      "button", { class: "row", onclick: () => this.#desk.open(id) },
      build("span", { class: "line" }, mark, time, row.clock.root), build("span", { class: "line" }, title, exercise), build("span", { class: "line" }, stage, who)), mute);
    this.#rows.set(id, row);
    return row;
  }

  #update(row, summary) {
    const { mark, time, title, stage, who, exercise, mute } = row.parts;
    const waits = isWaiting(summary);
    const isCurrent = summary.id === this.#desk.current?.id;
    if (mark.dataset.of !== summary.priority) mark.replaceChildren(priorityMark(summary.priority));
    mark.dataset.of = summary.priority;
    setState(row, "data-waiting", waits);
    setState(row, "data-current", isCurrent);
    setState(row, "data-priority", summary.priority);
    setState(row.querySelector(".row"), "aria-current", isCurrent ? "true" : undefined);
    setText(time, timeWords(summary));
    row.clock.show(waits ? secondsSince(summary.openedAt) : undefined, summary.state === "reopened");
    setText(title, summary.phone ?? summary.type ?? `#${summary.id}`);
    title.title = [summary.type, summary.phone, `#${summary.id}`].filter(Boolean).join(" · ");
    setState(exercise, "hidden", !summary.exercise);
    setText(stage, stageWords(summary));
    setState(stage, "data-bad", ["failed", "declined", "expired"].includes(summary.stage));
    setState(stage, "data-live", summary.stage === "live");
    setText(who, this.#whoWords(summary));
    this.#updateMute(mute, summary, waits);
  }

  #updateMute(mute, { id, phone, type }, waits) {
    const isMuted = this.#desk.alert.isMuted(id);
    setState(mute, "hidden", !waits);
    if (mute.dataset.is === String(isMuted)) return;
    mute.dataset.is = String(isMuted);
    mute.title = isMuted ? "Alert for this call is off" : "Mute the alert for this call";
    mute.replaceChildren(icon(isMuted ? "soundOff" : "bell"), build("span", { class: "unseen" }, `${isMuted ? "Let the alert sound again for" : "Mute the alert for"} ${phone ?? type ?? id}`));
  }

  #whoWords(summary) {
    if (isOver(summary)) return "";
    const { staff = [] } = summary;
    if (staff.length === 0) return isWaiting(summary) ? "" : "nobody has it";
    const self = this.#shell.session.person.id;
    const [first, ...more] = staff.map(({ account, name }) => (account === self ? "you" : name));
    return more.length > 0 ? `${first} +${more.length}` : first;
  }
}

function section(name, words, includes) {
  const list = build("ul", {});
  const count = build("span", { class: "count figures" });
  const root = build("section", { class: `queue-section ${name}`, hidden: true }, build("h2", {}, words, " ", count), list);
  return { name, root, list, count, includes };
}

function timeWords(summary) {
  if (isOver(summary)) return clock((Date.parse(summary.endedAt ?? summary.openedAt) - Date.parse(summary.openedAt)) / 1000);
  return clock(secondsSince(summary.openedAt));
}

function stageWords(summary) {
  const { state, stage, stageAt, failure, callers, type, phone } = summary;
  if (isOver(summary)) return [states[state], outcomes[summary.outcome]?.toLowerCase()].filter(Boolean).join(": ");
  const before = type && phone ? `${type} · ` : "";
  if (!stage) return `${before}${callers > 0 ? "link made" : "no link yet"}`;
  if (failure && ["failed", "declined"].includes(stage)) return `${before}${stage}: ${failures[failure]}`;
  const since = stageAt && ["linkSent", "requested", "opened", "locationOK", "cameraOK", "connecting", "paused"].includes(stage);
  return `${before}${stages[stage]}${since ? ` ${clock(secondsSince(stageAt))}` : ""}`;
}
