/**
 * One's bearer tokens: keys for programs that act as oneself.
 * @module
 */

import { build } from "../shared/dom.js";
import { ask, copyButton, field, form, inWords } from "../shared/forms.js";
import { dayAndTime } from "../shared/times.js";

const lifetimes = [[7, "A week"], [30, "30 days"], [90, "90 days"], [366, "A year"]];

/** Dispatches `changed` when one was made or revoked. */
export class Tokens extends EventTarget {
  #shell;
  #panel;
  /** The secret of the one that was just made. */
  #made;

  /**
   * @param {import("../shared/shell.js").Shell} shell
   * @param {HTMLElement} panel
   */
  constructor(shell, panel) {
    super();
    this.#shell = shell;
    this.#panel = panel;
    this.#load();
  }

  async #load() {
    try {
      const { tokens } = await this.#shell.session.get("/api/v1/me/tokens");
      this.#render(this.#table(tokens));
    } catch (error) {
      this.#render(build("p", { class: "problem" }, inWords(error)));
    }
  }

  #render(list) {
    this.#panel.replaceChildren(
      build("h2", { id: "tokens-title" }, "Tokens for programs"),
      build(
        "div", { class: "inside" },
        build("p", { class: "hint" }, "A program with a token may do what you may. Give each its own, so that you can end one without the others."),
        this.#once(), list, this.#form()));
  }

  #once() {
    if (!this.#made) return "";
    const { name, secret } = this.#made;
    const done = () => {
      this.#made = undefined;
      this.#load();
    };
    return build(
      "div", { class: "once", role: "status" }, build("p", {}, `The token “${name}”. Copy it now: it is not shown again.`), build("code", { id: "token-secret" }, secret),
      build("div", { class: "row-end" }, copyButton(() => secret), build("button", { type: "button", onclick: done }, "I have it")));
  }

  #table(tokens) {
    if (tokens.length === 0) return build("p", { class: "empty" }, "There are none.");
    const now = Date.now();
    const rows = tokens.map((token) => {
      const isOver = Date.parse(token.expiresAt) < now;
      return build(
        "tr", {}, build("td", { "data-label": "Name" }, token.name), build("td", { class: "figures", "data-label": "Made" }, dayAndTime(token.createdAt)),
        build("td", { class: "figures", "data-label": "Good until" }, `${dayAndTime(token.expiresAt)}${isOver ? " (over)" : ""}`),
        build("td", {}, build("button", { type: "button", onclick: () => this.#revoke(token) }, `Revoke…`, build("span", { class: "unseen" }, ` ${token.name}`))));
    });
    const heading = build(
      "thead", {}, build("tr", {}, ...["Name", "Made", "Good until"].map((text) => build("th", { scope: "col" }, text)), build("th", { scope: "col" }, build("span", { class: "unseen" }, "Revoke"))));
    return build("div", { class: "table-scroll" }, build("table", { class: "table cards" }, heading, build("tbody", {}, ...rows)));
  }

  #form() {
    const name = build("input", { id: "token-name", maxlength: 64, required: true, autocomplete: "off" });
    const days = build("select", { id: "token-days" }, ...lifetimes.map(([value, words]) => build("option", { value, selected: value === 90 }, words)));
    const send = async () => {
      this.#made = await this.#shell.session.post("/api/v1/me/tokens", { name: name.value.trim(), days: Number(days.value) });
      this.dispatchEvent(new Event("changed"));
      await this.#load();
    };
    return form({ submit: "Make a token", busy: "Making…", send, className: "form token-form" }, field("What it is for", name), field("Good for", days));
  }

  #revoke(token) {
    ask({
      title: `Revoke “${token.name}”?`, text: "Programs that use it are out at once. This cannot be undone.", action: "Revoke",
      run: async () => {
        await this.#shell.session.request("DELETE", `/api/v1/me/tokens/${encodeURIComponent(token.id)}`);
        this.#shell.toast(`The token “${token.name}” was revoked.`);
        this.dispatchEvent(new Event("changed"));
        await this.#load();
      },
    });
  }
}
