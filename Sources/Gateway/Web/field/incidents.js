/**
 * The responder's incidents: those of one's own unit first, most urgent first, then the open ones of the agency.
 * @module
 */

import { build, element, keepRows, setText } from "../shared/dom.js";
import { IncidentList } from "../shared/incidentlist.js";
import { priorityMark } from "../shared/priority.js";
import { age, secondsSince } from "../shared/times.js";
import { addresses } from "./words.js";

/** Milliseconds after which waiting times are told anew. */
const interval = 5000;
const over = new Set(["ended", "merged", "cancelled"]);

/** Dispatches `change` with every news. */
export class Incidents extends EventTarget {
  #session;
  #all;
  /** Those of one's own unit. */
  #units;
  #isShown = false;
  #opensByItself = false;
  #problem = "";

  /** @param {import("../shared/session.js").Session} session */
  constructor(session) {
    super();
    this.#session = session;
    this.#all = new IncidentList(session);
    const unit = session.person.account?.unit;
    this.#units = unit ? new IncidentList(session, { unit }) : undefined;
    for (const list of this.#lists) list.addEventListener("change", () => this.#onChange());
  }

  get #lists() {
    return [this.#all, this.#units].filter(Boolean);
  }

  open() {
    for (const list of this.#lists) list.open();
  }

  /** Those that one belongs to. */
  get mine() {
    return this.#all.sorted.filter((summary) => this.isMine(summary));
  }

  /** All rows as they are shown. */
  get rows() {
    return this.#all.sorted.filter(({ state }) => !over.has(state)).map(({ id, priority, type }) => ({ id, priority, type }));
  }

  /** @param {import("../shared/incidentlist.js").Summary} summary */
  isMine({ id, state, staff = [] }) {
    if (over.has(state)) return false;
    return this.#units?.incidents.has(id) === true || staff.some(({ account }) => account === this.#session.person.id);
  }

  /**
   * Shows the list.
   * @param {{opensByItself: boolean}} options whether the most urgent one of one's own opens by itself
   */
  show({ opensByItself }) {
    this.#isShown = true;
    this.#opensByItself = opensByItself;
    element("incidents").hidden = false;
    setInterval(() => this.#render(), interval);
    this.#render();
  }

  #onChange() {
    this.dispatchEvent(new Event("change"));
    if (!this.#isShown) return;
    const [first] = this.mine;
    if (this.#opensByItself && first && this.#lists.every((list) => list.isConnected)) {
      this.#opensByItself = false;
      location.replace(addresses.incident(this.#session, first.id));
    }
    this.#render();
  }

  #render() {
    const all = this.#all.sorted.filter(({ state }) => !over.has(state));
    const mine = all.filter((summary) => this.isMine(summary));
    const others = all.filter((summary) => !this.isMine(summary));
    setText(element("incidents-state"), this.#words(mine.length, others.length));
    element("open-title").hidden = others.length === 0;
    this.#fill(element("mine"), mine, "Open");
    this.#fill(element("open"), others, "Join");
  }

  #words(mine, others) {
    if (this.#problem) return this.#problem;
    if (!this.#all.isConnected) {
      return mine + others > 0 ? "No connection right now. This list may be old." : "Connecting";
    }
    if (mine > 0) return "";
    return others > 0 ? "Your unit is on no incident. A new one opens here by itself." : "Nothing is open. A new incident of your unit opens here by itself.";
  }

  #fill(list, summaries, verb) {
    keepRows(list, summaries, ({ id }) => `${verb} ${id}`, ({ id }) => this.#row(id, verb), (row, summary) => this.#update(row, summary));
  }

  #row(id, verb) {
    const what = build("span", { class: "what" }, build("strong", {}), build("small", { class: "figures" }));
    const run = verb === "Join" ? () => this.#join(id) : () => location.assign(addresses.incident(this.#session, id));
    return build(
      "li", {},
      build("button", { type: "button", class: "incident", onclick: run }, build("span", { class: "mark" }), what, build("span", { class: "verb" }, verb)));
  }

  #update(row, { id, priority, type, place, exercise, openedAt, callers, units, stage }) {
    const mark = row.querySelector(".mark");
    if (mark.dataset.priority !== priority) mark.replaceChildren(priorityMark(priority));
    mark.dataset.priority = priority;
    setText(row.querySelector("strong"), [exercise && "EXERCISE", type || "Type not known yet", place?.text].filter(Boolean).join(", "));
    const counts = [`#${id}`, age(secondsSince(openedAt)), stage === "live" ? "live" : `${callers} ${callers === 1 ? "caller" : "callers"}`, `${units} ${units === 1 ? "unit" : "units"}`];
    setText(row.querySelector("small"), counts.join(" · "));
  }

  async #join(id) {
    try {
      await this.#session.post(`/api/v1/incidents/${encodeURIComponent(id)}/join`);
      location.assign(addresses.incident(this.#session, id));
    } catch (error) {
      this.#problem = error.message;
      this.#render();
    }
  }
}
