/**
 * The right column: where it is, the caller's device, who takes part, and the tabs below.
 * @module
 */

import { build, setState } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { readChoice, writeChoice } from "./choices.js";
import { Device } from "./device.js";
import { Files } from "./files.js";
import { Notes } from "./notes.js";
import { People } from "./people.js";
import { Place } from "./place.js";
import { Talk } from "./talk.js";
import { Timeline } from "./timeline.js";
import { Triage } from "./triage.js";

const tabs = [
  { name: "chat", words: "Chat", key: "c", Part: Talk },
  { name: "notes", words: "Notes", key: "k", Part: Notes },
  { name: "triage", words: "Triage", key: "q", Part: Triage },
  { name: "timeline", words: "Timeline", key: "b", Part: Timeline },
  { name: "files", words: "Files", key: "u", Part: Files },
];

/** Keeps its parts, and which tab is chosen. */
export class Context {
  #root;
  #desk;
  #shell;
  #current;
  #parts = [];
  #tabs = new Map();
  #chosen = readChoice("tab", "chat");

  /** @param {HTMLElement} root @param {import("./desk.js").Desk} desk @param {import("../shared/shell.js").Shell} shell */
  constructor(root, desk, shell) {
    [this.#root, this.#desk, this.#shell] = [root, desk, shell];
    if (!tabs.some(({ name }) => name === this.#chosen)) this.#chosen = "chat";
  }

  /** @returns {import("../shared/keys.js").Shortcut[]} */
  get shortcuts() {
    const isOpen = () => this.#current !== undefined;
    return [
      ...tabs.map(({ name, words, key }) => ({ key, words: `${words}: go there`, when: isOpen, action: () => this.show(name) })),
      { key: "i", words: "Invite units or a guest", when: isOpen, action: () => this.#people?.invite() },
    ];
  }

  get #people() {
    return this.#parts.find((part) => part instanceof People);
  }

  open(current) {
    this.#current = current;
    const whole = [new Place(current, this.#shell), new Device(current), new People(current, this.#shell, this.#desk)];
    const list = build("div", { role: "tablist", "aria-label": "Talk and records" });
    const panels = tabs.map((tab) => this.#tab(tab, list, current));
    list.addEventListener("keydown", (event) => this.#keyInTabs(event));
    this.#parts = [...whole, ...[...this.#tabs.values()].map(({ part }) => part)];
    this.#root.replaceChildren(build("div", { class: "facts" }, ...whole.map((part) => part.root)), build("div", { class: "records" }, list, ...panels));
    this.#choose(this.#chosen);
  }

  #tab({ name, words, Part }, list, current) {
    const count = build("span", { class: "tab-count figures" });
    const button = build("button", { role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, onclick: () => this.#choose(name) }, words, count);
    const part = new Part(current, this.#shell, this.#desk, () => this.#chosen === name);
    const panel = build("div", { role: "tabpanel", id: `panel-${name}`, "aria-labelledby": `tab-${name}`, hidden: true }, part.root);
    list.append(button);
    this.#tabs.set(name, { button, panel, part, count });
    return panel;
  }

  #keyInTabs(event) {
    const names = tabs.map(({ name }) => name);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = names[(names.indexOf(this.#chosen) + step + names.length) % names.length];
    this.#choose(next);
    this.#tabs.get(next).button.focus();
  }

  #choose(name) {
    this.#chosen = name;
    writeChoice("tab", name);
    for (const [each, { button, panel }] of this.#tabs) {
      button.setAttribute("aria-selected", String(each === name));
      button.tabIndex = each === name ? 0 : -1;
      panel.hidden = each !== name;
    }
    this.#tabs.get(name).part.shown?.();
  }

  /** Goes to a tab. @param {string} name */
  show(name) {
    if (!this.#current) return;
    this.#desk.layout.toggle("context", false);
    this.#desk.layout.show("context");
    this.#choose(name);
    this.#tabs.get(name).part.focus();
  }

  close() {
    for (const part of this.#parts) part.close?.();
    this.#parts = [];
    this.#tabs.clear();
    this.#current = undefined;
    this.#root.replaceChildren(build("p", { class: "context-empty" }, icon("note"), "Map, people, chat and notes of the open incident are shown here."));
  }

  render() {
    for (const part of this.#parts) part.render();
    for (const { part, count } of this.#tabs.values()) {
      const number = part.count ?? 0;
      count.textContent = number > 0 ? String(number) : "";
      setState(count, "hidden", number === 0);
      setState(count, "data-news", part.hasNews === true);
    }
  }
}
