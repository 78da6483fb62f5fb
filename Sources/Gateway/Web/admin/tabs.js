/**
 * Tabs of a page (ARIA tabs pattern): arrows move, the address's fragment says which is open, a panel is filled when it is
 * looked at.
 * @module
 */

import { build, setState } from "../shared/dom.js";

/**
 * @typedef {object} Part what stands in a panel
 * @property {(panel: HTMLElement) => void} show called each time that its tab is opened
 * @property {() => void} [hide] called when another is
 */

export class Tabs {
  #parts;
  /** Name of the one that is open. */
  current = "";

  /**
   * @param {import("../shared/shell.js").Shell} shell
   * @param {HTMLElement} list
   * @param {HTMLElement} panels
   * @param {[name: string, words: string, part: Part][]} parts
   */
  constructor(shell, list, panels, parts) {
    this.#parts = new Map(
      parts.map(([name, words, part], index) => {
        const count = build("span", { class: "count", hidden: true });
        const tab = build(
          "button", { role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, onclick: () => this.#go(name) },
          build("span", {}, words), count);
        const panel = build("div", { role: "tabpanel", id: `panel-${name}`, "aria-labelledby": tab.id, tabindex: "0", hidden: true });
        shell.shortcuts.add({ key: String(index + 1), words, action: () => this.#go(name) });
        return [name, { tab, panel, part, count }];
      }));
    const all = [...this.#parts.values()];
    list.replaceChildren(...all.map(({ tab }) => tab));
    panels.replaceChildren(...all.map(({ panel }) => panel));
    list.addEventListener("keydown", (event) => this.#move(event));
    addEventListener("hashchange", () => this.#open(this.#asked()));
    this.#open(this.#asked());
  }

  /**
   * Shows a number beside a tab's name.
   * @param {string} name
   * @param {{number: number, level?: string, words: string}} what
   */
  count(name, { number, level, words }) {
    const { count } = this.#parts.get(name);
    count.hidden = number === 0;
    setState(count, "data-level", level);
    count.replaceChildren(String(number), build("span", { class: "unseen" }, ` ${words}`));
  }

  #asked() {
    const name = location.hash.slice(1);
    return this.#parts.has(name) ? name : this.#parts.keys().next().value;
  }

  #go(name) {
    if (name === this.current) return;
    history.replaceState(null, "", `#${name}`);
    this.#open(name);
  }

  #open(name) {
    if (name === this.current) return;
    this.#parts.get(this.current)?.part.hide?.();
    this.current = name;
    for (const [key, { tab, panel }] of this.#parts) {
      setState(tab, "aria-selected", String(key === name));
      setState(tab, "tabindex", key === name ? "0" : "-1");
      panel.hidden = key !== name;
    }
    const { tab, panel, part } = this.#parts.get(name);
    tab.scrollIntoView?.({ block: "nearest", inline: "nearest" });
    part.show(panel);
  }

  #move(event) {
    const names = [...this.#parts.keys()];
    const index = names.indexOf(this.current);
    const target = {
      ArrowDown: index + 1, ArrowRight: index + 1, ArrowUp: index - 1, ArrowLeft: index - 1, Home: 0, End: names.length - 1,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const name = names[(target + names.length) % names.length];
    this.#go(name);
    this.#parts.get(name).tab.focus();
  }
}
