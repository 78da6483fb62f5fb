/**
 * What the middle says while no incident is open.
 * @module
 */

import { build, replaceWhenNew } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { isWaiting } from "./queue.js";

/** How many wait, and what can be done. */
export class Nothing {
  #root;
  #desk;

  /** @param {HTMLElement} root @param {import("./desk.js").Desk} desk */
  constructor(root, desk) {
    this.#root = root;
    this.#desk = desk;
  }

  render() {
    const all = this.#desk.list.sorted;
    const waiting = all.filter(isWaiting).length;
    replaceWhenNew(this.#root, [waiting, all.length > 0, this.#desk.list.isConnected], () => [
      build("h2", {}, this.#headline(waiting, all.length)),
      build("p", {}, ...this.#keys(waiting)),
      this.#desk.may("open") && build("button", { class: waiting > 0 ? "" : "primary", onclick: () => this.#desk.create.open() }, icon("add"), "New incident", build("kbd", {}, "N")),
    ].filter(Boolean));
  }

  #headline(waiting, all) {
    if (!this.#desk.list.isConnected) return "The queue is being fetched";
    if (waiting > 0) return waiting === 1 ? "One call is waiting" : `${waiting} calls are waiting`;
    return all > 0 ? "Nobody is waiting" : "No open incidents";
  }

  #keys(waiting) {
    if (waiting === 0) return ["Choose an incident in the queue. New calls appear there and sound the alert."];
    return [build("kbd", {}, "Enter"), " takes the most urgent and shows its picture at once."];
  }
}
