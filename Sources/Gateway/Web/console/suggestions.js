/**
 * Another incident that may be the same event: said quietly, decided by the operator.
 * @module
 */

import { build, replaceWhenNew, setState } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { distance } from "../shared/times.js";
import { readChoice, writeChoice } from "./choices.js";
import { secondStep } from "./secondstep.js";

/** Pairs that are kept as different; old ones are forgotten first. */
const maximumDifferent = 200;

/** The strip. */
export class Suggestions {
  root = build("section", { class: "strips", "aria-label": "Perhaps the same event", hidden: true });
  #desk;
  #current;

  /** @param {import("./desk.js").Desk} desk */
  constructor(desk) {
    this.#desk = desk;
  }

  open(current) {
    this.#current = current;
  }

  close() {
    this.#current = undefined;
  }

  render() {
    const { model, id } = this.#current;
    const { pairs } = readChoice("different", { pairs: [] });
    const open = model.isClosed ? [] : [...model.suggestions.values()].filter(({ other }) => !pairs.includes(pair(id, other)) && this.#isOpen(other));
    const rows = open.map(({ other, metres, seconds }) => ({ other, words: this.#words(other, metres, seconds), canMerge: this.#current.may("merge") }));
    setState(this.root, "hidden", rows.length === 0);
    replaceWhenNew(this.root, rows, () => rows.map((row) => this.#row(row)));
  }

  #isOpen(other) {
    const summary = this.#desk.list.incidents.get(other);
    return summary !== undefined && !summary.endedAt;
  }

  #words(other, metres, seconds) {
    const { type, phone, openedAt } = this.#desk.list.incidents.get(other) ?? {};
    const isLater = openedAt && Date.parse(openedAt) > Date.parse(this.#current.model.openedAt);
    const apart = seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
    return `${[type, phone, `#${other}`].filter(Boolean).join(" · ")}: ${distance(metres)} away, ${apart} ${isLater ? "later" : "earlier"}`;
  }

  #row({ other, words, canMerge }) {
    return build(
      "div", { class: "notice suggestion" }, icon("merge"), build("p", {}, build("strong", {}, "Same event? "), words),
      build("div", { class: "strip-buttons" },
        canMerge && secondStep("Same event: merge", "Merge? Press again", () => this.#merge(other)),
        build("button", { onclick: () => this.#different(other) }, "Different"),
        build("button", { class: "quiet", onclick: () => this.#desk.go(other) }, "Look at it")));
  }

  async #merge(other) {
    const number = await this.#current.happen("incident.merged", { into: other });
    if (number !== undefined && this.#desk.current?.id !== other) this.#desk.go(other);
  }

  #different(other) {
    const { pairs } = readChoice("different", { pairs: [] });
    writeChoice("different", { pairs: [...pairs, pair(this.#current.id, other)].slice(-maximumDifferent) });
    this.render();
  }
}

/** The same for both incidents. */
function pair(one, other) {
  return [one, other].sort().join(" ");
}
