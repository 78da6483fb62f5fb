/**
 * Handing an incident over: to whom, and what becomes of oneself.
 * @module
 */

import { build, setText } from "../shared/dom.js";
import { showDialog } from "./desk.js";
import { roles } from "./words.js";

/** Who can go on with an incident. */
const takers = ["operator", "dispatcher", "supervisor", "trainer"];

/**
 * @param {import("./current.js").CurrentIncident} current
 * @param {import("../shared/shell.js").Shell} shell
 */
export async function askHandOver(current, shell) {
  const self = shell.session.person.id;
  const rows = build("div", { class: "people-choice" }, build("p", { role: "status" }, "Fetching colleagues"));
  const stay = build("input", { type: "checkbox", id: "hand-over-stay" });
  const reason = build("input", { id: "hand-over-reason", maxlength: "500", autocomplete: "off" });
  const problem = build("p", { class: "problem", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    const chosen = people.find(({ id }) => id === form.querySelector("[name=colleague]:checked")?.value);
    if (!chosen) return setText(problem, "Choose who goes on with it.");
    try {
      await handOver(current, chosen, stay.checked ? undefined : self, reason.value.trim());
      dialog.close();
      shell.toast(stay.checked ? `${chosen.name} has it as well.` : `${chosen.name} has it now.`);
    } catch (error) {
      setText(problem, error.message);
    }
    return undefined;
  };
  const form = build(
    "form", { class: "form", onsubmit: submit },
    build("fieldset", {}, build("legend", {}, "Who goes on with it?"), rows),
    build("label", { class: "choice" }, stay, "I go on with it as well"),
    build("label", { for: "hand-over-reason" }, "What they should know (goes into the notes)"), reason, problem,
    build("div", { class: "row" }, build("button", { class: "primary" }, "Hand over"), build("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Keep it")));
  const dialog = showDialog("Hand over", form);
  let people = [];
  try {
    ({ people } = await shell.session.get("/api/v1/people"));
    people = people.filter(({ id, role }) => id !== self && takers.includes(role) && !current.model.assignments.has(id));
    people.sort((a, b) => Number(b.here) - Number(a.here) || a.name.localeCompare(b.name));
    rows.replaceChildren(...(people.length > 0 ? people.map(row) : [build("p", {}, "Nobody else works here right now.")]));
    rows.querySelector("input")?.focus();
  } catch (error) {
    rows.replaceChildren(build("p", { class: "problem" }, error.message));
  }
}

function row({ id, name, role, here }) {
  return build(
    "label", { class: "choice" }, build("input", { type: "radio", name: "colleague", value: id }),
    build("span", {}, name, build("small", {}, ` ${roles[role]}`)), build("small", { class: here ? "here" : "" }, here ? "here" : "not signed in"));
}

async function handOver(current, { id: account, role, name }, self, reason) {
  if (reason) await current.channel.send("note", { text: `Handed over to ${name}: ${reason}` });
  await current.channel.send("assignment.added", { account, role, name });
  if (self && current.model.assignments.has(self)) {
    await current.channel.send("assignment.removed", { account: self, reason: `Handed over to ${name}` });
  }
}
