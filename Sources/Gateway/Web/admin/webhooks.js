/**
 * Webhooks: who gets events, and the letters that could not be delivered.
 * @module
 */

import { build } from "../shared/dom.js";
import { ask, copyButton, field, inWords } from "../shared/forms.js";
import { icon } from "../shared/icons.js";
import { randomText } from "../shared/access.js";
import { dayAndTime } from "../shared/times.js";

const groups = [
  ["Incidents", ["incident.opened", "incident.state", "incident.classified", "incident.merged"]],
  ["People and units", ["assignment.added", "assignment.removed", "unit.assigned", "unit.status", "unit.stoodDown"]],
  ["Callers", ["caller.added", "caller.stage", "location", "link.created", "link.delivery"]],
  ["Talk", ["chat", "note", "triage", "file.added"]],
  ["Recordings", ["media.recording", "export.requested", "export.finished", "retention.deleted"]],
  ["Audit", ["audit.account", "audit.signIn", "audit.settings", "audit.access"]],
];

export class Webhooks {
  #shell;
  #panel;

  /** @param {import("../shared/shell.js").Shell} shell */
  constructor(shell) {
    this.#shell = shell;
  }

  /** @param {HTMLElement} panel */
  async show(panel) {
    this.#panel = panel;
    if (!panel.firstChild) panel.replaceChildren(build("h2", {}, "Webhooks"), build("p", { class: "hint", role: "status" }, "Loading…"));
    await this.#load();
  }

  async #load() {
    const { session } = this.#shell;
    try {
      const [{ webhooks }, letters] = await Promise.all([session.get("/api/v1/webhooks"), session.get("/api/v1/webhooks/dead-letters", { limit: 50 })]);
      const add = build("button", { type: "button", class: "primary", id: "add-webhook", onclick: () => this.#add() }, icon("add"), "Add a webhook");
      this.#panel.replaceChildren(
        build("h2", {}, "Webhooks"),
        build("p", { class: "hint" }, "Computer-aided dispatch and record systems hear of events as they happen: each is posted, signed, and tried again for hours if nobody takes it."),
        build("div", { class: "row-end" }, add), this.#receivers(webhooks), this.#letters(letters, webhooks));
    } catch (error) {
      this.#panel.replaceChildren(build("h2", {}, "Webhooks"), build("p", { class: "problem" }, inWords(error)), build("div", {}, build("button", { onclick: () => this.#load() }, "Try again")));
    }
  }

  #receivers(webhooks) {
    const rows = webhooks.map((webhook) =>
      build(
        "tr", {}, build("td", { "data-label": "Address" }, webhook.url), build("td", { "data-label": "Events" }, webhook.kinds.length === 0 ? "All of incidents" : webhook.kinds.join(", ")),
        build("td", { "data-label": "Waiting", class: "figures" }, String(webhook.pending)), build("td", { "data-label": "Since", class: "figures" }, dayAndTime(webhook.createdAt)),
        build("td", {}, build("button", { type: "button", onclick: () => this.#remove(webhook) }, "Remove…", build("span", { class: "unseen" }, ` ${webhook.url}`)))));
    const heading = build("thead", {}, build("tr", {}, ...["Address", "Events", "Waiting", "Since"].map((text) => build("th", { scope: "col" }, text)), build("th", { scope: "col" }, build("span", { class: "unseen" }, "Remove"))));
    const content = rows.length > 0 ? build("div", { class: "table-scroll" }, build("table", { class: "table cards" }, heading, build("tbody", {}, ...rows))) : build("p", { class: "empty" }, "Nobody is told of anything yet.");
    return build("section", { class: "panel" }, build("h2", {}, "Who is told"), build("div", { class: "inside" }, content));
  }

  #add() {
    const secret = randomText(24);
    const url = build("input", { id: "webhook-url", type: "url", required: true, maxlength: 2000, placeholder: "https://cad.example.org/events", autocomplete: "off" });
    const secretInput = build("input", { id: "webhook-secret", required: true, minlength: 16, maxlength: 256, value: secret, autocomplete: "off", spellcheck: "false" });
    const boxes = groups.map(([title, kinds]) =>
      build("fieldset", { class: "kinds" }, build("legend", {}, title), ...kinds.map((kind) => build("label", {}, build("input", { type: "checkbox", name: "kind", value: kind }), ` ${kind}`))));
    const choice = build("details", {}, build("summary", {}, "Only some events"), ...boxes);
    ask({
      title: "Add a webhook", text: "Events are posted to this address as JSON, each with a signature that the secret makes.", action: "Add", danger: false,
      fields: [
        field("Address", url, "https, or http within your own network."),
        field("Secret", secretInput, "HMAC-SHA256 over timestamp, a dot and the body. Give it to the other system now; it is not shown again."),
        build("div", { class: "row-end" }, copyButton(() => secretInput.value, "Copy the secret")), choice,
      ],
      run: async () => {
        const kinds = [...choice.querySelectorAll("input:checked")].map(({ value }) => value);
        await this.#shell.session.post("/api/v1/webhooks", { url: url.value.trim(), secret: secretInput.value, ...(kinds.length > 0 && { kinds }) });
        this.#shell.toast("The webhook was added. The next event goes there.");
        await this.#load();
      },
    });
  }

  #remove(webhook) {
    ask({
      title: "Remove this webhook?", action: "Remove",
      text: `${webhook.url} hears of nothing more${webhook.pending > 0 ? `, and ${webhook.pending} events that wait for it are not delivered` : ""}.`,
      run: async () => {
        await this.#shell.session.request("DELETE", `/api/v1/webhooks/${encodeURIComponent(webhook.id)}`);
        this.#shell.toast("The webhook was removed.");
        await this.#load();
      },
    });
  }

  #letters({ deadLetters, count }, webhooks) {
    const addresses = new Map(webhooks.map(({ id, url }) => [id, url]));
    const settle = async (letter, action) => {
      try {
        await this.#shell.session.post(`/api/v1/webhooks/dead-letters/${action}`, { key: letter.key });
        this.#shell.toast(action === "retry" ? "The letter is tried again." : "The letter was dropped.");
      } catch (error) {
        this.#shell.toast(inWords(error), { isProblem: true });
      }
      await this.#load();
    };
    const drop = (letter) =>
      ask({ title: "Drop this letter?", text: "The other system never hears of this event from here.", action: "Drop it", run: () => settle(letter, "drop") });
    const rows = deadLetters.map((letter) =>
      build(
        "tr", {}, build("td", { "data-label": "For" }, addresses.get(letter.webhook) ?? "a webhook that was removed"), build("td", { "data-label": "Event", class: "figures" }, `number ${letter.number} of ${letter.incident}`),
        build("td", { "data-label": "Given up", class: "figures" }, `${dayAndTime(letter.diedAt)}, after ${letter.tries} tries`), build("td", { "data-label": "Why" }, letter.error ?? ""),
        build("td", {}, build("div", { class: "row-end" }, build("button", { type: "button", onclick: () => settle(letter, "retry") }, "Try again"), build("button", { type: "button", onclick: () => drop(letter) }, "Drop…")))));
    const heading = build("thead", {}, build("tr", {}, ...["For", "Event", "Given up", "Why"].map((text) => build("th", { scope: "col" }, text)), build("th", { scope: "col" }, build("span", { class: "unseen" }, "Actions"))));
    const content = rows.length > 0 ? build("div", { class: "table-scroll" }, build("table", { class: "table cards" }, heading, build("tbody", {}, ...rows))) : build("p", { class: "empty" }, "Everything was delivered, or is still being tried.");
    const more = count > rows.length ? build("p", { class: "hint" }, `The first ${rows.length} of ${count}.`) : "";
    return build("section", { class: "panel" }, build("h2", {}, "Letters that could not be delivered"), build("div", { class: "inside" }, content, more));
  }
}
