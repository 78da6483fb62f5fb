/**
 * Triage: the questions of the first minute as buttons, and what else is worth a word; who answered and when is beside.
 * @module
 */

import { build, setState, setText } from "../shared/dom.js";
import { timeOfDay } from "../shared/times.js";

/** Questions with answers to choose from; names and answers are what the journal keeps. */
const questions = [
  { name: "conscious", words: "Conscious", answers: ["yes", "no", "unclear"] },
  { name: "breathing", words: "Breathing", answers: ["normal", "abnormal", "no", "unclear"] },
  { name: "bleeding", words: "Bleeding", answers: ["none", "some", "severe"] },
  { name: "trapped", words: "Trapped", answers: ["no", "yes"] },
];
const hazards = ["fire", "smoke", "traffic", "water", "electricity", "gas", "weapon", "violence"];
const texts = [
  { name: "people", words: "People hurt", type: "number" }, { name: "age", words: "Age, about", type: "text" },
  { name: "complaint", words: "What is wrong", type: "text" }, { name: "other", words: "Anything else", type: "text" },
];
/** Answers that stand out. */
const grave = { conscious: ["no"], breathing: ["no", "abnormal"], bleeding: ["severe"], trapped: ["yes"] };

/** The tab of the triage. */
export class Triage {
  root;
  #current;
  #groups = new Map();
  #hazards = new Map();
  #texts = new Map();
  #hazardsWho = build("small", { class: "figures" });

  /** @param {import("./current.js").CurrentIncident} current */
  constructor(current) {
    this.#current = current;
    this.root = build("div", { class: "triage" }, ...questions.map((question) => this.#question(question)), this.#hazardRow(), ...texts.map((text) => this.#text(text)));
  }

  get count() {
    return Object.values(this.#current.model.triage).filter(Boolean).length;
  }

  focus() {
    this.root.querySelector("button")?.focus();
  }

  #question({ name, words, answers }) {
    const who = build("small", { class: "figures" });
    const buttons = answers.map((answer) => build("button", { class: "small", "aria-pressed": "false", onclick: () => this.#toggle(name, answer) }, answer));
    this.#groups.set(name, { buttons, answers, who });
    return build("div", { class: "question", role: "group", "aria-label": words }, build("span", { class: "question-words" }, words, who), build("span", { class: "answers" }, ...buttons));
  }

  #hazardRow() {
    const buttons = hazards.map((hazard) => {
      const button = build("button", { class: "small", "aria-pressed": "false", onclick: () => this.#toggleHazard(hazard) }, hazard);
      this.#hazards.set(hazard, button);
      return button;
    });
    return build("div", { class: "question", role: "group", "aria-label": "Hazards" }, build("span", { class: "question-words" }, "Hazards", this.#hazardsWho), build("span", { class: "answers" }, ...buttons));
  }

  #text({ name, words, type }) {
    const who = build("small", { class: "figures" });
    const input = build("input", { id: `triage-${name}`, type, min: type === "number" ? 0 : undefined, maxlength: "500", autocomplete: "off" });
    input.addEventListener("change", () => this.#answer({ [name]: input.value.trim() }));
    input.addEventListener("keydown", ({ key }) => (key === "Enter" || key === "Escape") && input.blur());
    this.#texts.set(name, { input, who });
    return build("div", { class: "question text" }, build("label", { for: `triage-${name}` }, words), who, input);
  }

  // MARK: Answers

  #toggle(name, answer) {
    this.#answer({ [name]: this.#current.model.triage[name] === answer ? "" : answer });
  }

  get #chosenHazards() {
    return (this.#current.model.triage.hazards ?? "").split(", ").filter(Boolean);
  }

  #toggleHazard(hazard) {
    const chosen = this.#chosenHazards;
    const next = chosen.includes(hazard) ? chosen.filter((each) => each !== hazard) : [...chosen, hazard];
    this.#answer({ hazards: next.join(", ") });
  }

  #answer(fields) {
    this.#current.happen("triage", { fields });
  }

  render() {
    const { model } = this.#current;
    const isOff = model.isClosed || !this.#current.may("triage");
    const who = this.#who(model);
    for (const [name, { buttons, answers, who: line }] of this.#groups) {
      const value = model.triage[name] ?? "";
      buttons.forEach((button, index) => {
        setState(button, "aria-pressed", String(value === answers[index]));
        setState(button, "data-grave", value === answers[index] && grave[name].includes(value));
        button.disabled = isOff;
      });
      setText(line, value ? (who.get(name) ?? "") : "");
    }
    for (const [hazard, button] of this.#hazards) {
      setState(button, "aria-pressed", String(this.#chosenHazards.includes(hazard)));
      button.disabled = isOff;
    }
    setText(this.#hazardsWho, this.#chosenHazards.length > 0 ? (who.get("hazards") ?? "") : "");
    for (const [name, { input, who: line }] of this.#texts) {
      const value = model.triage[name] ?? "";
      if (document.activeElement !== input && input.value !== value) input.value = value;
      input.disabled = isOff;
      setText(line, value ? (who.get(name) ?? "") : "");
    }
  }

  /** Who answered last, and when. @returns {Map<string, string>} */
  #who(model) {
    const who = new Map();
    for (const { kind, payload, actor, time } of model.events) {
      if (kind !== "triage") continue;
      for (const name of Object.keys(payload.fields)) who.set(name, `${actor.name}, ${timeOfDay(time)}`);
    }
    return who;
  }
}
