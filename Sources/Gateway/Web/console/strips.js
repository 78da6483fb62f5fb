/**
 * What stands between the head and the picture while it matters: the stages of a caller's link, a link to show, another
 * incident that may be the same event.
 * @module
 */

import { LinkPanel } from "./linkpanel.js";
import { Stages } from "./stages.js";
import { Suggestions } from "./suggestions.js";

/** The strips, each there or not. */
export class Strips {
  #parts;

  /** @param {HTMLElement} root @param {import("./desk.js").Desk} desk @param {import("../shared/shell.js").Shell} shell */
  constructor(root, desk, shell) {
    const panel = new LinkPanel(shell);
    this.#parts = [new Suggestions(desk), new Stages(desk, shell, panel), panel];
    this.panel = panel;
    root.append(...this.#parts.map((part) => part.root));
  }

  /** @returns {import("../shared/keys.js").Shortcut[]} */
  get shortcuts() {
    return this.#parts.flatMap((part) => part.shortcuts ?? []);
  }

  open(current) {
    for (const part of this.#parts) part.open(current);
  }

  close() {
    for (const part of this.#parts) part.close();
  }

  render() {
    for (const part of this.#parts) part.render();
  }
}
