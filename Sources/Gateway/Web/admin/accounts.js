/**
 * Accounts: the list, and what can be done to each.
 * @module
 */

import { build, element } from "../shared/dom.js";
import { ask, copyButton, field, inWords } from "../shared/forms.js";
import { icon } from "../shared/icons.js";
import { addAccount, changeAccount, passwordField } from "./accountform.js";
import { roleName, roles } from "./roles.js";

export class Accounts {
  #shell;
  #accounts = [];
  #search = build("input", { type: "search", id: "account-search", autocomplete: "off", spellcheck: "false" });
  #role = build("select", { id: "account-role" }, build("option", { value: "" }, "All roles"), ...Object.entries(roles).map(([value, { name }]) => build("option", { value }, name)));
  #list = build("div", {});
  #news = build("div", {});
  #status = build("p", { class: "hint", role: "status" });

  /** @param {import("../shared/shell.js").Shell} shell */
  constructor(shell) {
    this.#shell = shell;
    for (const control of [this.#search, this.#role]) control.addEventListener("input", () => this.#render());
    shell.shortcuts.add({
      key: "/", words: "Search accounts", when: () => element("panel-accounts")?.hidden === false, action: () => this.#search.focus(),
    });
  }

  /** @param {HTMLElement} panel */
  show(panel) {
    if (!panel.firstChild) {
      const add = build("button", { type: "button", class: "primary", id: "add-account", onclick: () => this.#add() }, icon("add"), "Add an account");
      panel.append(
        build("h2", {}, "Accounts"),
        build("div", { class: "tools" }, field("Search", this.#search), build("div", { class: "field narrow" }, build("label", { for: "account-role" }, "Role"), this.#role), add),
        this.#news, this.#status, this.#list);
    }
    this.#load();
  }

  async #load() {
    try {
      ({ accounts: this.#accounts } = await this.#shell.session.get("/api/v1/accounts"));
      this.#render();
    } catch (error) {
      this.#list.replaceChildren(build("p", { class: "problem" }, inWords(error)), build("button", { onclick: () => this.#load() }, "Try again"));
    }
  }

  #render() {
    const wanted = this.#search.value.trim().toLowerCase();
    const found = this.#accounts.filter((account) => {
      const texts = [account.userName, account.displayName, account.desk, account.unit, account.agency];
      return (!this.#role.value || account.role === this.#role.value) && texts.some((text) => text?.toLowerCase().includes(wanted));
    });
    const suspended = found.filter(({ state }) => state === "suspended").length;
    this.#status.textContent = `${found.length} of ${this.#accounts.length} accounts${suspended > 0 ? `, ${suspended} suspended` : ""}`;
    if (found.length === 0) {
      this.#list.replaceChildren(build("p", { class: "empty" }, "No account fits. Search for a part of a name, desk or unit."));
      return;
    }
    const columns = ["Person", "Role", "Desk or unit", "Agency", "Second factor", "State"];
    const heading = build("thead", {}, build("tr", {}, ...columns.map((text) => build("th", { scope: "col" }, text)), build("th", { scope: "col" }, build("span", { class: "unseen" }, "Actions"))));
    this.#list.replaceChildren(build("div", { class: "table-scroll" }, build("table", { class: "table cards accounts" }, heading, build("tbody", {}, ...found.map((account) => this.#row(account))))));
  }

  #row(account) {
    const isSuspended = account.state === "suspended";
    const place = [account.desk && `desk ${account.desk}`, account.unit && `unit ${account.unit}`].filter(Boolean).join(", ");
    const isOwn = account.id === this.#shell.session.person.id;
    const act = (words, run) => build("button", { type: "button", onclick: run }, words, build("span", { class: "unseen" }, ` ${account.displayName}`));
    return build(
      "tr", { class: isSuspended ? "suspended" : undefined, dataset: { account: account.id } },
      build("th", { scope: "row", class: "person" }, build("b", {}, account.displayName), build("span", {}, `${account.userName}${isOwn ? " (you)" : ""}`)),
      build("td", { "data-label": "Role" }, roleName(account.role)),
      build("td", { "data-label": "Desk or unit" }, place),
      build("td", { "data-label": "Agency" }, account.agency),
      build("td", { "data-label": "Second factor" }, account.secondFactor ? build("span", { class: "mark", dataset: { state: "good" } }, icon("check"), "On") : "Off"),
      build("td", { "data-label": "State" }, isSuspended ? build("span", { class: "mark", dataset: { state: "bad" } }, icon("lock"), "Suspended") : "Active"),
      build(
        "td", {},
        build(
          "div", { class: "row-end" }, act("Change…", () => this.#change(account)), act("Password…", () => this.#password(account)),
          account.secondFactor && act("Remove factor…", () => this.#removeFactor(account)),
          isSuspended ? act("Restore…", () => this.#setSuspended(account, false)) : !isOwn && act("Suspend…", () => this.#setSuspended(account, true)))));
  }

  #add() {
    addAccount(this.#shell, async (account, password) => {
      this.#showPassword(account, password, "The account was added.");
      await this.#load();
    });
  }

  #change(account) {
    changeAccount(this.#shell, account, async () => {
      this.#shell.toast(`${account.displayName} was changed.`);
      await this.#load();
    });
  }

  async #patch(account, json) {
    await this.#shell.session.request("PATCH", `/api/v1/accounts/${encodeURIComponent(account.id)}`, { json });
    await this.#load();
  }

  #setSuspended(account, suspended) {
    const { displayName } = account;
    ask({
      title: suspended ? `Suspend ${displayName}?` : `Restore ${displayName}?`,
      text: suspended
        ? "They are signed out at once, what they watch ends, and their tokens are gone for good. You can restore the account later."
        : "They can sign in again with the password that they had.",
      action: suspended ? "Suspend" : "Restore", danger: suspended,
      run: async () => {
        await this.#patch(account, { suspended });
        this.#shell.toast(`${displayName} was ${suspended ? "suspended" : "restored"}.`);
      },
    });
  }

  #password(account) {
    const { input, node } = passwordField();
    ask({
      title: `New password for ${account.displayName}`, action: "Set the password", danger: false,
      text: "Their sessions end. Tell them the new one in person or by phone; they can change it under their name.",
      fields: [node],
      run: async () => {
        await this.#patch(account, { password: input.value });
        this.#showPassword(account, input.value, "The password was set.");
      },
    });
  }

  #removeFactor(account) {
    ask({
      title: `Remove the second factor of ${account.displayName}?`, action: "Remove it",
      text: "For somebody who lost their phone. Be sure that it is they who ask: call them back at a number that you know.",
      run: async () => {
        await this.#patch(account, { removeSecondFactor: true });
        this.#shell.toast(`The second factor of ${account.displayName} was removed.`);
      },
    });
  }

  /** Shown until it is put away: it cannot be shown again. */
  #showPassword(account, password, text) {
    this.#news.replaceChildren(
      build(
        "div", { class: "once", role: "status" }, build("p", {}, `${text} ${account.displayName} signs in as `, build("b", {}, account.userName), " with:"),
        build("code", { id: "new-password-shown" }, password),
        build("div", { class: "row-end" }, copyButton(() => password), build("button", { type: "button", onclick: () => this.#news.replaceChildren() }, "Put away"))));
  }
}
