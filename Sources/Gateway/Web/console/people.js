/**
 * Who takes part: people who are here, units, links; and how more are brought in.
 * @module
 */

import { build, replaceWhenNew, setState, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { age, clock, secondsSince, timeOfDay } from "../shared/times.js";
import { Invitation } from "./invitation.js";
import { secondStep } from "./secondstep.js";
import { roles, stages, unitStates } from "./words.js";

/** The middle part of the right column. */
export class People {
  root;
  #current;
  #shell;
  #invitation;
  #here = build("ul", { class: "people-list" });
  #units = build("ul", { class: "people-list" });
  #links = build("ul", { class: "people-list" });
  #linksTitle = build("h3", {}, "Open links");
  #unitsTitle = build("h3", {}, "Units");
  #invite;
  #watching = build("p", { class: "hint", role: "status" });

  /** @param {import("./current.js").CurrentIncident} current @param {import("../shared/shell.js").Shell} shell @param {import("./desk.js").Desk} desk */
  constructor(current, shell, desk) {
    [this.#current, this.#shell] = [current, shell];
    this.#invitation = new Invitation(current, shell, desk);
    this.#invite = build("button", { id: "invite", class: "small", "aria-expanded": "false", onclick: () => this.#toggle() }, icon("add"), "Invite");
    this.root = build(
      "section", { class: "fact people", "aria-labelledby": "people-title" },
      build("header", { class: "fact-head" }, build("h2", { id: "people-title" }, "People"), this.#watching, this.#invite),
      this.#invitation.root, this.#here, this.#unitsTitle, this.#units, this.#linksTitle, this.#links);
  }

  /** Opens what brings more people in. */
  invite() {
    if (!this.#invite.hidden && this.#invitation.root.hidden) this.#toggle();
  }

  #toggle() {
    const isOpen = this.#invitation.root.hidden;
    this.#invite.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.#invitation.open(() => this.#toggle());
    else {
      this.#invitation.root.hidden = true;
      this.#invite.focus();
    }
  }

  close() {
    this.#invitation.root.hidden = true;
  }

  render() {
    const { model } = this.#current;
    setState(this.#invite, "hidden", model.isClosed || !(this.#current.may("share") || this.#current.may("assign")));
    const rows = this.#rows(model);
    const watching = model.people.filter((person) => person.watching && person.role !== "caller").length;
    setText(this.#watching, watching === 0 ? "nobody watches" : watching === 1 ? "1 watches" : `${watching} watch`);
    replaceWhenNew(this.#here, rows, () => rows.map(personRow));
    this.#renderUnits(model);
    this.#renderLinks(model);
    this.#invitation.render();
  }

  #rows(model) {
    const self = this.#shell.session.person.id;
    const present = model.people.map(({ id, name, role, watching, speaking }) => ({
      key: id, role, speaking, watching: watching && role !== "caller", isHere: true, has: model.assignments.has(id),
      name: id === self ? `${name} (you)` : name, more: role === "caller" ? callerWords(model.callers.get(id)) : roles[role],
    }));
    const here = new Set(present.map(({ key }) => key));
    const away = [...model.assignments.values()].filter(({ account }) => !here.has(account)).map(({ account, name, role }) => (
      { key: account, role, name: account === self ? `${name} (you)` : name, more: roles[role], has: true, isHere: account === self }));
    const callers = [...model.callers.values()].filter(({ id }) => !here.has(id)).map((caller) => (
      { key: caller.id, role: "caller", name: caller.name ?? "Caller", more: callerWords(caller), isHere: false }));
    const order = ["caller", "operator", "dispatcher", "supervisor", "trainer", "responder", "guest"];
    return [...present, ...away, ...callers].sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role) || a.name.localeCompare(b.name));
  }

  #renderUnits(model) {
    const units = [...model.units.values()].map(({ unit, name, status, isStoodDown, eta }) => ({ unit, name: name ?? unit, status, isStoodDown, eta }));
    const can = this.#current.may("assign") && !model.isClosed;
    setState(this.#unitsTitle, "hidden", units.length === 0);
    replaceWhenNew(this.#units, [units, can], () => units.map(({ unit, name, status, isStoodDown, eta }) => build(
      "li", { class: isStoodDown ? "person away" : "person" }, icon("unit"),
      build("span", { class: "person-name" }, name, build("small", {}, ` ${isStoodDown ? "stood down" : unitStates[status]}${eta && !isStoodDown ? `, there at ${timeOfDay(eta).slice(0, 5)}` : ""}`)),
      can && !isStoodDown && secondStep("Stand down", "Stand down? Again", () => this.#current.happen("unit.stoodDown", { unit }), { class: "small", label: `Stand down ${name}` }))));
  }

  #renderLinks(model) {
    const open = [...model.links.values()].filter(({ isRevoked, expires, link, role }) => !isRevoked && this.#isOpen(model, link, role, expires));
    const can = this.#current.may("revokeLink") && !model.isClosed;
    setState(this.#linksTitle, "hidden", open.length === 0 || model.isClosed);
    const rows = model.isClosed ? [] : open.map(({ link, role, name, expires, delivery, detail }) => ({ link, role, name: name ?? roles[role], until: untilWords(expires), delivery, detail }));
    replaceWhenNew(this.#links, [rows, can], () => rows.map((row) => this.#linkRow(row, can)));
  }

  #linkRow({ link, role, name, until, delivery, detail }, can) {
    const sent = delivery === "failed" ? `, not delivered${detail ? `: ${detail}` : ""}` : delivery === "delivered" ? ", delivered" : "";
    return build(
      "li", { class: "person" }, icon("link"),
      build("span", { class: "person-name" }, name, build("small", { class: "figures" }, ` ${roles[role]}, ${until}${sent}`)),
      can && secondStep("Withdraw", "Withdraw? Again", () => this.#withdraw(link), { class: "small", label: `Withdraw the link of ${name}` }));
  }

  /** A caller's link counts until it is opened, or while its page is here. */
  #isOpen(model, link, role, expires) {
    const isHere = model.people.some(({ id }) => id === link);
    return isHere || (Date.parse(expires) > Date.now() && !(role === "caller" && ["ended", "expired"].includes(model.callers.get(link)?.stage)));
  }

  async #withdraw(link) {
    try {
      await this.#shell.session.request("DELETE", `/api/v1/incidents/${encodeURIComponent(this.#current.id)}/links/${encodeURIComponent(link)}`);
    } catch (error) {
      this.#shell.toast(error.message, { isProblem: true });
    }
  }
}

function personRow({ name, role, more, has, watching, speaking, isHere }) {
  const marks = [speaking && "speaks", watching && "watches", has && "has it", !isHere && role !== "caller" && "not here"].filter(Boolean);
  return build(
    "li", { class: isHere ? "person" : "person away" }, icon(speaking ? "sound" : role === "caller" ? "phone" : role === "responder" ? "unit" : "user"),
    build("span", { class: "person-name" }, name, build("small", {}, ` ${more}`)), build("span", { class: "person-marks" }, marks.join(", ")));
}

function callerWords(caller) {
  return caller ? ["caller", caller.phone, stages[caller.stage]].filter(Boolean).join(", ") : "caller";
}

function untilWords(expires) {
  const seconds = -secondsSince(expires);
  if (seconds <= 0) return `time over ${age(-seconds)}`;
  // Seconds matter only when there are few.
  return seconds > 600 ? `${Math.round(seconds / 60)} min left` : `${clock(seconds)} left`;
}
