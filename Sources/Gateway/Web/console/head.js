/**
 * The head of the open incident: how urgent, what, since when, who has it, and the steps from taking to ending it.
 * @module
 */

import { build, replaceWhenNew, setState, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { priorities, priorityMark } from "../shared/priority.js";
import { clock, secondsSince, timeOfDay } from "../shared/times.js";
import { askEnd, reopen } from "./ending.js";
import { askHandOver } from "./handover.js";
import { outcomes, states } from "./words.js";

/** Milliseconds that a digit after P counts as the priority. */
const patience = 4000;

/** One line above the scene. */
export class Head {
  #root;
  #desk;
  #shell;
  /** @type {import("./current.js").CurrentIncident | undefined} */
  #current;
  #parts;
  #isChoosing = false;
  #timer;

  /** @param {HTMLElement} root @param {import("./desk.js").Desk} desk @param {import("../shared/shell.js").Shell} shell */
  constructor(root, desk, shell) {
    [this.#root, this.#desk, this.#shell] = [root, desk, shell];
    this.#parts = this.#build();
  }

  /** @returns {import("../shared/keys.js").Shortcut[]} */
  get shortcuts() {
    const is = (name) => () => this.#current !== undefined && !this.#parts.buttons[name].hidden;
    const chosen = ["1", "2", "3", "4"].map((digit) => ({
      key: digit, words: `Priority ${digit}, after P`, when: () => this.#isChoosing, action: () => this.#choose(`P${digit}`),
    }));
    return [
      { key: "p", words: "Priority: then 1 to 4", when: () => this.#canClassify, action: () => this.#ask() },
      ...chosen,
      { key: "o", words: "Take the open incident", when: is("take"), action: () => this.#take() },
      { key: "h", words: "Hand over", when: is("handOver"), action: () => this.#handOver() },
      { key: "w", words: "Keep watching without working on it", when: is("monitor"), action: () => this.#monitor() },
      { key: "e", words: "End, with the outcome", when: is("end"), action: () => this.#end() },
      { key: "escape", words: "Leave the incident; it goes on", when: () => this.#current !== undefined, action: () => this.#escape() },
    ];
  }

  open(current) {
    this.#current = current;
  }

  close() {
    this.#current = undefined;
    this.#stopChoosing();
  }

  get #canClassify() {
    return this.#current !== undefined && !this.#current.model.isClosed && this.#current.may("classify");
  }

  #build() {
    const select = build("select", { id: "priority", "aria-label": "Priority" }, ...Object.entries(priorities).map(([value, words]) => build("option", { value }, `${value}, ${words}`)));
    select.addEventListener("change", () => this.#choose(select.value));
    const type = build("input", { id: "type", class: "type", "aria-label": "What happened", placeholder: "What happened", list: "incident-types", maxlength: "64", autocomplete: "off" });
    type.addEventListener("change", () => this.#classify({ type: type.value.trim() || undefined }));
    type.addEventListener("keydown", ({ key }) => (key === "Enter" || key === "Escape") && type.blur());
    const button = (words, symbol, key, run, name = "") => build("button", { class: name, title: `${words} (${key})`, onclick: run }, icon(symbol), build("span", {}, words));
    const buttons = {
      take: button("Take", "check", "O", () => this.#take(), "primary"), reopen: button("Reopen", "back", "", () => reopen(this.#desk, this.#shell, this.#current.id), "primary"),
      handOver: button("Hand over", "people", "H", () => this.#handOver()), monitor: button("Watch on", "eye", "W", () => this.#monitor()),
      end: button("End", "end", "E", () => this.#end(), "danger"),
    };
    buttons.reopen.title = "Reopen";
    const parts = {
      mark: build("span", { class: "head-mark" }), select, type, buttons, number: build("span", { class: "number figures" }), clock: build("span", { class: "head-clock figures" }),
      state: build("p", { class: "head-state", role: "status" }), exercise: build("span", { class: "exercise-mark" }, "EXERCISE"), hint: build("span", { class: "head-hint", role: "status" }),
    };
    this.#root.append(
      build("div", { class: "head-line" }, build("span", { class: "priority-choice" }, parts.mark, select), type, parts.exercise, parts.clock,
        build("div", { class: "head-buttons", role: "group", "aria-label": "This incident" }, ...Object.values(buttons))),
      build("div", { class: "head-line head-more" }, parts.state, parts.number, parts.hint));
    return parts;
  }

  // MARK: Steps

  #ask() {
    this.#isChoosing = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#stopChoosing(), patience);
    this.render();
  }

  #stopChoosing() {
    clearTimeout(this.#timer);
    this.#isChoosing = false;
    if (this.#current) this.render();
  }

  #choose(priority) {
    this.#stopChoosing();
    if (priority !== this.#current.model.priority) this.#classify({ priority });
  }

  #classify(change) {
    if (Object.values(change).some((value) => value !== undefined)) this.#current.happen("incident.classified", change);
  }

  #take() {
    this.#desk.take(this.#current.id);
  }

  #handOver() {
    askHandOver(this.#current, this.#shell);
  }

  async #monitor() {
    await this.#current.happen("incident.state", { state: "monitored" });
  }

  #end() {
    askEnd(this.#desk, this.#shell, this.#current);
  }

  #escape() {
    if (this.#isChoosing) this.#stopChoosing();
    else this.#desk.go(undefined);
  }

  // MARK: What is shown

  render() {
    const { model, isMine, channel } = this.#current;
    const { mark, select, type, number, clock: time, state, exercise, hint, buttons } = this.#parts;
    replaceWhenNew(mark, model.priority, () => [priorityMark(model.priority || "P4")]);
    if (document.activeElement !== select) select.value = model.priority;
    if (document.activeElement !== type && type.value !== model.type) type.value = model.type;
    select.disabled = type.disabled = !this.#canClassify;
    setState(exercise, "hidden", !model.isExercise);
    setText(number, [`#${this.#current.id}`, model.headline?.phone].filter(Boolean).join(" · "));
    const until = model.endedAt ? (Date.parse(model.endedAt) - Date.parse(model.openedAt)) / 1000 : model.openedAt ? secondsSince(model.openedAt) : 0;
    setText(time, model.openedAt ? clock(until) : "");
    time.title = model.openedAt ? `Opened at ${timeOfDay(model.openedAt)}` : "";
    setText(state, this.#stateWords(model, channel));
    setText(hint, this.#isChoosing ? "Priority: press 1, 2, 3 or 4" : "");
    const can = (action) => model.state !== "" && this.#current.may(action);
    const isClosed = model.isClosed;
    setState(buttons.take, "hidden", isClosed || (isMine && model.state === "active") || !can("assign"));
    setState(buttons.handOver, "hidden", isClosed || !can("assign"));
    setState(buttons.monitor, "hidden", !["active", "reopened"].includes(model.state) || !can("progress"));
    setState(buttons.end, "hidden", isClosed || !can("progress"));
    setState(buttons.reopen, "hidden", !["ended", "cancelled"].includes(model.state) || !can("progress"));
  }

  #stateWords(model, channel) {
    if (channel.state === "lost") return channel.reason;
    if (!model.state) return "Fetching the incident";
    const outcome = outcomes[model.outcome];
    if (model.isClosed) return model.state === "merged" ? `Merged into #${model.mergedInto}` : `Ended${outcome ? `: ${outcome.toLowerCase()}` : ""}`;
    const names = [...model.assignments.values()].map(({ account, name }) => (account === this.#shell.session.person.id ? "you" : name));
    const words = states[model.state];
    return `${words[0].toUpperCase()}${words.slice(1)}${names.length > 0 ? `, ${list(names)} ${names.length === 1 && names[0] !== "you" ? "has" : "have"} it` : ", nobody has it"}`;
  }
}

/** @param {string[]} names */
function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
