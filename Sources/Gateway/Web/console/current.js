/**
 * The incident that is open on this page: its events both ways, and what follows from them.
 * @module
 */

import { IncidentEvents } from "../shared/events.js";
import { IncidentModel } from "../shared/incident.js";
import { MetadataChannel } from "../shared/metadata.js";
import { may } from "./rights.js";

/** Dispatches `change` with every news of the incident or of its connection. */
export class CurrentIncident extends EventTarget {
  /** Links that this page made; their addresses are told once only. @type {Map<string, {link: string, url: string, qr?: string, role: string}>} */
  links = new Map();
  #shell;

  /** @param {string} id @param {import("../shared/shell.js").Shell} shell */
  constructor(id, shell) {
    super();
    this.id = id;
    this.#shell = shell;
    this.channel = new MetadataChannel(id);
    this.events = new IncidentEvents(shell.session.token, this.channel);
    this.model = new IncidentModel(id, this.channel);
    const changed = () => this.dispatchEvent(new Event("change"));
    this.model.addEventListener("change", changed);
    this.events.addEventListener("change", changed);
  }

  open() {
    this.events.open();
  }

  close() {
    this.events.close();
  }

  /** @param {import("./rights.js").Action} action */
  may(action) {
    return may(this.#shell.session, action, this.model);
  }

  get isMine() {
    return this.model.assignments.has(this.#shell.session.person.id);
  }

  /**
   * Has something happen; says so when it is refused.
   * @param {string} kind
   * @param {Record<string, any>} payload
   * @returns {Promise<number | undefined>} the event's number
   */
  async happen(kind, payload) {
    try {
      return await this.channel.send(kind, payload);
    } catch (error) {
      this.#shell.toast(error.message, { isProblem: true });
      return undefined;
    }
  }

  /** @param {Record<string, any>} wish as `POST …/links` takes it */
  async makeLink(wish) {
    const made = await this.#shell.session.post(`/api/v1/incidents/${encodeURIComponent(this.id)}/links`, wish);
    this.links.set(made.link, { ...made, name: wish.name });
    this.dispatchEvent(new Event("change"));
    return made;
  }
}
