/**
 * How text messages and mails go out, and a trial of it that shows every stage.
 * @module
 */

import { build } from "../shared/dom.js";
import { field, form, inWords } from "../shared/forms.js";
import { icon } from "../shared/icons.js";
import { timeOfDay } from "../shared/times.js";

/** Milliseconds between two looks while a provider's receipt is waited for. */
const interval = 2000;
/** Milliseconds after which nobody looks any more. */
const patience = 120_000;

const stages = { address: "Number or address", settings: "Settings", handover: "Handed over", delivery: "Delivered" };
const symbols = { done: "check", failed: "warn", waiting: "more" };
const states = { done: "done", failed: "failed", waiting: "waiting" };

export class Messages {
  #shell;
  #panel;
  #trials = build("div", { class: "form", "aria-live": "polite" });
  #timer;
  #until = 0;

  /** @param {import("../shared/shell.js").Shell} shell */
  constructor(shell) {
    this.#shell = shell;
  }

  /** @param {HTMLElement} panel */
  async show(panel) {
    this.#panel = panel;
    if (!panel.firstChild) panel.replaceChildren(build("h2", {}, "Messages"), build("p", { class: "hint", role: "status" }, "Loading…"));
    try {
      this.#render(await this.#shell.session.get("/api/v1/settings"));
      await this.#look();
    } catch (error) {
      panel.replaceChildren(build("h2", {}, "Messages"), build("p", { class: "problem" }, inWords(error)));
    }
  }

  hide() {
    clearTimeout(this.#timer);
  }

  #render({ sms, email }) {
    this.#panel.replaceChildren(
      build("h2", {}, "Messages"),
      build("p", { class: "hint" }, "Accounts and secrets of providers are in files on the machine, not here. Who changes a file starts the node again."),
      build(
        "div", { class: "columns" },
        this.#way("Text messages", sms, [["Provider", sms.provider], ["From", sms.from], ["Receipts come to", sms.receipts]], "--sms-gateway FILE"),
        this.#way("Mail", email, [["Server", email.server], ["Encryption", { starttls: "STARTTLS", tls: "TLS", none: "none" }[email.security]], ["From", email.from && `${email.name} <${email.from}>`]], "--mail-server FILE")),
      this.#test(), this.#trials);
  }

  #way(title, way, facts, option) {
    const rows = facts.filter(([, value]) => value).map(([term, value]) => build("div", {}, build("dt", {}, term), build("dd", {}, value)));
    const state = way.setUp
      ? build("span", { class: "mark", dataset: { state: "good" } }, icon("check"), "Set up")
      : build("span", { class: "mark", dataset: { state: "warn" } }, icon("warn"), "Not set up");
    const help = build("p", { class: "hint" }, `Start the node with ${option}; the runbook says how the file looks. Operators can show links as a code meanwhile.`);
    return build(
      "section", { class: "panel" }, build("header", {}, build("h2", {}, title), state),
      build("div", { class: "inside" }, way.setUp ? build("dl", { class: "facts" }, ...rows) : help));
  }

  #test() {
    const by = build("select", { id: "trial-by" }, build("option", { value: "sms" }, "Text message"), build("option", { value: "email" }, "Mail"));
    const to = build("input", { id: "trial-to", required: true, minlength: 3, maxlength: 254, autocomplete: "off", spellcheck: "false" });
    const render = () => {
      to.type = by.value === "sms" ? "tel" : "email";
      to.placeholder = by.value === "sms" ? "+49 170 1234567" : "name@example.org";
    };
    by.addEventListener("input", render);
    render();
    const send = async () => {
      await this.#shell.session.post("/api/v1/settings/test-message", { by: by.value, to: to.value.trim() });
      this.#until = Date.now() + patience;
      await this.#look();
    };
    return build(
      "section", { class: "panel" }, build("h2", {}, "Send a test"),
      build(
        "div", { class: "inside" }, build("p", { class: "hint" }, "The message says that it is a test. It goes the same way as a link does, and what the provider answers is shown word by word."),
        form({ submit: "Send a test", busy: "Sending…", send, className: "form" }, build("div", { class: "tools" }, build("div", { class: "field narrow" }, build("label", { for: "trial-by" }, "By"), by), field("To", to)))));
  }

  async #look() {
    clearTimeout(this.#timer);
    const { tests } = await this.#shell.session.get("/api/v1/settings/test-message");
    this.#trials.replaceChildren(...tests.map((test) => this.#trial(test)));
    const waits = tests[0]?.steps.some(({ state, stage }) => state === "waiting" && stage === "delivery");
    if (waits && Date.now() < this.#until && !this.#panel.hidden) this.#timer = setTimeout(() => this.#look().catch(() => {}), interval);
  }

  #trial({ by, to, startedAt, steps }) {
    const rows = Object.keys(stages).map((stage) => steps.find((step) => step.stage === stage) ?? { stage, state: "none", detail: "Not reached." });
    const items = rows.map(({ stage, state, detail, at }) =>
      build(
        "li", { dataset: { state } }, icon(symbols[state] ?? "more"), build("b", {}, stages[stage], build("span", { class: "unseen" }, ` ${states[state] ?? "not reached"}`)),
        build("p", {}, at ? `${timeOfDay(at)} ` : "", detail)));
    return build(
      "section", { class: "panel trial" }, build("h2", {}, `${by === "sms" ? "Text message" : "Mail"} to ${to}, ${timeOfDay(startedAt)}`),
      build("div", { class: "inside" }, build("ol", { class: "steps" }, ...items)));
  }
}
