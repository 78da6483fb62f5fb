/**
 * The dialogs that add and change an account.
 * @module
 */

import { build } from "../shared/dom.js";
import { ask, field, makePassword } from "../shared/forms.js";
import { roles } from "./roles.js";

/** An input for a new password, filled with one that nobody has chosen. */
export function passwordField() {
  const input = build("input", { type: "text", autocomplete: "off", spellcheck: "false", minlength: 12, maxlength: 512, required: true, value: makePassword() });
  const another = build("button", { type: "button", onclick: () => (input.value = makePassword()) }, "Another one");
  return { input, node: build("div", { class: "form" }, build("div", { class: "with-button" }, field("Password", input), another), build("p", { class: "hint" }, "At least 12 characters; it is shown once more when it is set.")) };
}

/**
 * @param {import("../shared/shell.js").Shell} shell
 * @param {(account: object, password: string) => Promise<void>} done
 */
export function addAccount(shell, done) {
  const userName = build("input", { id: "new-user-name", autocomplete: "off", autocapitalize: "none", spellcheck: "false", minlength: 3, maxlength: 64, required: true, pattern: "[A-Za-z0-9._@\\-]+", title: "Letters, digits and . _ @ -" });
  const { input: password, node } = passwordField();
  const parts = accountFields({});
  ask({
    title: "Add an account", text: `It belongs to the agency ${shell.session.person.account?.agency ?? ""}.`, action: "Add", danger: false,
    fields: [field("User name", userName, "What they sign in with: letters, digits and . _ @ -"), ...parts.nodes, node],
    run: async () => {
      const values = Object.fromEntries(Object.entries(parts.values()).filter(([, value]) => value !== ""));
      const account = await shell.session.post("/api/v1/accounts", { ...values, userName: userName.value.trim(), password: password.value });
      await done(account, password.value);
    },
  });
}

/**
 * @param {import("../shared/shell.js").Shell} shell
 * @param {object} account
 * @param {() => Promise<void>} done
 */
export function changeAccount(shell, account, done) {
  const parts = accountFields(account);
  ask({
    title: `Change ${account.displayName}`, text: `${account.userName}, ${account.agency}. A new role counts at once: what they hold open ends.`,
    action: "Save", danger: false, fields: parts.nodes,
    run: async () => {
      const values = Object.entries(parts.values()).filter(([name, value]) => value !== (account[name] ?? ""));
      if (values.length > 0) {
        await shell.session.request("PATCH", `/api/v1/accounts/${encodeURIComponent(account.id)}`, { json: Object.fromEntries(values) });
      }
      await done();
    },
  });
}

/** Name, role with its words, desk and unit; the latter only for whom they mean something. */
function accountFields(account) {
  const displayName = build("input", { id: "account-display-name", maxlength: 64, required: true, autocomplete: "off", value: account.displayName ?? "" });
  const role = build(
    "select", { id: "account-form-role", required: true },
    ...Object.entries(roles).map(([value, { name }]) => build("option", { value, selected: value === (account.role ?? "operator") }, name)));
  const place = (id, value) => build("input", { id, maxlength: 64, autocomplete: "off", spellcheck: "false", pattern: "[A-Za-z0-9_\\-]*", title: "Letters, digits, - and _", value: value ?? "" });
  const desk = place("account-desk", account.desk);
  const unit = place("account-unit", account.unit);
  const words = build("p", { class: "role-words", role: "status" });
  const deskField = field("Desk", desk, "Incidents are assigned to desks.");
  const unitField = field("Unit", unit, "Such as ems-1: as incidents name it.");
  const render = () => {
    words.textContent = roles[role.value].words;
    deskField.hidden = role.value !== "dispatcher" && desk.value === "";
    unitField.hidden = role.value !== "responder" && unit.value === "";
  };
  role.addEventListener("input", render);
  render();
  return {
    nodes: [field("Name", displayName, "As others see it, over pictures too."), field("Role", role), words, deskField, unitField],
    values: () => ({ displayName: displayName.value.trim(), role: role.value, desk: desk.value.trim(), unit: unit.value.trim() }),
  };
}
