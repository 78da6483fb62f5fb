/**
 * What an operator does at this desk: looks at the queue, takes an incident, opens a new one, leaves it.
 * @module
 */

import { build, element, setState } from "../shared/dom.js";
import { IncidentList } from "../shared/incidentlist.js";
import { Alert } from "./alert.js";
import { Context } from "./context.js";
import { CurrentIncident } from "./current.js";
import { Head } from "./head.js";
import { Layout } from "./layout.js";
import { NewIncident } from "./newincident.js";
import { Nothing } from "./nothing.js";
import { isWaiting, Queue } from "./queue.js";
import { may } from "./rights.js";
import { loadScene } from "./sceneloader.js";
import { Strips } from "./strips.js";

/** Milliseconds between two looks at the clock, and that news gather before they are shown: hundreds may come at once. */
const tick = 1000;
const gather = 30;
/** Roles for whom opening what waits means taking it; supervisors look on until they say so. */
const takers = ["operator", "dispatcher", "trainer"];

/** The page as a whole. */
export class Desk {
  /** @type {CurrentIncident | undefined} */
  current;
  /** Milliseconds from the action to the open incident, for the last one. */
  openedIn;

  #shell;
  #scene;
  #timer;

  /** @param {import("../shared/shell.js").Shell} shell */
  constructor(shell) {
    this.#shell = shell;
    this.list = new IncidentList(shell.session);
    this.alert = new Alert(shell, this.list);
    this.layout = new Layout(element("desk"));
    this.create = new NewIncident(this, shell);
    this.queue = new Queue(element("queue"), this, shell);
    this.nothing = new Nothing(element("nothing"), this, shell);
    this.head = new Head(element("head"), this, shell);
    this.strips = new Strips(element("strips"), this, shell);
    this.context = new Context(element("context"), this, shell);
  }

  start() {
    const { shortcuts } = this.#shell;
    for (const part of [this.queue, this.create, this.alert, this.head, this.strips, this.context, this.layout]) {
      shortcuts.add(...part.shortcuts);
    }
    this.list.addEventListener("change", () => this.#schedule());
    this.list.open();
    addEventListener("popstate", () => this.#show(incidentOf(location)));
    setInterval(() => this.render(), tick);
    this.#loadScene();
    this.#show(incidentOf(location));
  }

  async #loadScene() {
    this.#scene = await loadScene(element("scene"), this.#shell);
    if (this.current) this.#scene.open(this.current);
  }

  /** Whether this person may. @param {import("./rights.js").Action} action */
  may(action) {
    return may(this.#shell.session, action);
  }

  // MARK: Incidents

  /**
   * From the row to the picture in one action: takes what waits, and opens it.
   * @param {string} id
   */
  open(id) {
    const summary = this.list.incidents.get(id);
    if (summary && isWaiting(summary) && this.#shell.session.is(...takers)) this.take(id);
    this.go(id);
  }

  /** Goes to an incident, or to none. @param {string} [id] */
  go(id) {
    if (id === this.current?.id) return this.layout.show(id ? "work" : "queue");
    const address = id ? `/console/${encodeURIComponent(id)}` : "/console";
    history.pushState({}, "", this.#shell.session.address(address));
    this.#show(id);
  }

  /** Says that this person works on it. @param {string} id */
  async take(id) {
    const { id: account, role, name } = this.#shell.session.person;
    const state = this.current?.id === id ? this.current.model.state : this.list.incidents.get(id)?.state;
    this.alert.settle(id);
    const wishes = [["assignment.added", { account, role, name }]];
    if (state !== "active") wishes.unshift(["incident.state", { state: "active" }]);
    try {
      for (const [kind, payload] of wishes) await this.submit(id, kind, payload);
    } catch (error) {
      this.#shell.toast(`It could not be taken. ${error.message}`, { isProblem: true });
    }
  }

  /** Shows a link that was just made. @param {{link: string, url: string, qr?: string, role: string, name?: string}} made */
  showLink(made) {
    this.strips.panel.show(made);
    this.layout.show("work");
  }

  /** One event of an incident, whether it is open here or not. */
  submit(id, kind, payload) {
    return this.#shell.session.post(`/api/v1/incidents/${encodeURIComponent(id)}/events`, { kind, payload });
  }

  #show(id) {
    const begun = performance.now();
    this.#scene?.close();
    this.current?.close();
    this.current = undefined;
    for (const part of [this.head, this.strips, this.context]) part.close();
    if (id) {
      const current = new CurrentIncident(id, this.#shell);
      this.current = current;
      current.addEventListener("change", () => current === this.current && this.#schedule());
      current.model.addEventListener("event", ({ detail }) => current === this.current && this.#follow(detail));
      for (const part of [this.head, this.strips, this.context]) part.open(current);
      current.open();
      this.#scene?.open(current);
      this.openedIn = performance.now() - begun;
    }
    this.layout.show(id ? "work" : "queue");
    this.render();
  }

  /** What was merged while it is open here leads on to the other. */
  #follow({ kind, number, payload }) {
    if (kind !== "incident.merged" || !(number > this.current.channel.start)) return;
    this.#shell.toast("Merged. This is the incident that goes on.");
    queueMicrotask(() => this.go(payload.into));
  }

  // MARK: What is shown

  #schedule() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.render();
    }, gather);
  }

  render() {
    const { list, current } = this;
    for (const name of ["head", "strips", "scene"]) setState(element(name), "hidden", !current);
    setState(element("nothing"), "hidden", current !== undefined);
    this.queue.render();
    this.alert.render();
    if (current) for (const part of [this.head, this.strips, this.context]) part.render();
    else this.nothing.render();
    this.#shell.state(list.isConnected ? (current?.channel.words ?? "") : "No connection to the queue. Trying again.");
  }
}

function incidentOf({ pathname }) {
  const [, , id] = pathname.split("/");
  return id ? decodeURIComponent(id) : undefined;
}

/** A dialog built from parts, which goes when it is closed. @param {string} title @param {...Node} children */
export function showDialog(title, ...children) {
  const dialog = build("dialog", { "aria-labelledby": "dialog-title" }, build("h2", { id: "dialog-title" }, title), ...children);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
