/**
 * What is wrong with the node, since when, and what to do about it; what was wrong lately.
 * @module
 */

import { build, keepRows, replaceWhenNew } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { age, dayAndTime, secondsSince } from "../shared/times.js";

const levels = { urgent: ["Urgent", "warn"], attention: ["Soon", "bell"], advice: ["Advice", "guide"] };

export class Alarms {
  #node;
  #panel;
  #summary = build("p", { role: "status" });
  #list = build("ul", { class: "alarm-list" });
  #past = build("div", { class: "inside" });

  /** @param {import("./nodestate.js").NodeState} node */
  constructor(node) {
    this.#node = node;
    node.addEventListener("news", () => this.#render());
  }

  /** @param {HTMLElement} panel */
  show(panel) {
    this.#panel = panel;
    if (!panel.firstChild) {
      panel.append(
        build("h2", {}, "Alarms"), this.#summary, this.#list,
        build("section", { class: "panel" }, build("h2", {}, "Over since the start"), this.#past));
    }
    this.#render();
  }

  #render() {
    const { report } = this.#node;
    if (!this.#panel || this.#panel.hidden) return;
    if (!report) {
      this.#summary.textContent = "Asking the node…";
      return;
    }
    const { number } = this.#node.urgency;
    const text = number === 0 ? "Nothing is wrong." : `${number} thing${number === 1 ? "" : "s"} to look at.`;
    if (this.#summary.textContent !== text) this.#summary.textContent = text;
    keepRows(this.#list, report.alarms, ({ id }) => id, () => build("li", { class: "alarm" }), (row, alarm) => this.#fill(row, alarm));
    replaceWhenNew(this.#past, report.pastAlarms, () => this.#pastRows(report.pastAlarms));
  }

  #fill(row, { level, title, detail, remedy, since }) {
    row.dataset.level = level;
    const [words, symbol] = levels[level];
    const when = `${words}, since ${dayAndTime(since)} (${age(secondsSince(since))})`;
    replaceWhenNew(row, [level, title, detail, remedy, when], () => [
      icon(symbol), build("div", {}, build("h3", {}, title), build("p", { class: "when" }, when), build("p", {}, detail), build("p", {}, build("b", {}, "Do: "), remedy)),
    ]);
  }

  #pastRows(past) {
    if (past.length === 0) return [build("p", { class: "empty" }, "Nothing.")];
    const heading = build("thead", {}, build("tr", {}, ...["What", "From", "To"].map((text) => build("th", { scope: "col" }, text))));
    const rows = past.map(({ title, since, until }) =>
      build(
        "tr", {}, build("td", { "data-label": "What" }, title), build("td", { "data-label": "From", class: "figures" }, dayAndTime(since)), build("td", { "data-label": "To", class: "figures" }, dayAndTime(until))));
    return [build("div", { class: "table-scroll" }, build("table", { class: "table cards" }, heading, build("tbody", {}, ...rows)))];
  }
}
