/**
 * The end of an incident: with an outcome, in two steps, and with a way back.
 * @module
 */

import { build, setText } from "../shared/dom.js";
import { showDialog } from "./desk.js";
import { outcomes } from "./words.js";

/**
 * @param {import("./desk.js").Desk} desk
 * @param {import("../shared/shell.js").Shell} shell
 * @param {import("./current.js").CurrentIncident} current
 */
export function askEnd(desk, shell, current) {
  const reason = build("textarea", { id: "end-reason", maxlength: "500", rows: "2" });
  const problem = build("p", { class: "problem", role: "alert" });
  const choices = Object.entries(outcomes).map(([value, words], index) =>
    build("label", { class: "choice" }, build("input", { type: "radio", name: "outcome", value, autofocus: index === 0 }), words));
  const submit = async (event) => {
    event.preventDefault();
    const outcome = form.querySelector("[name=outcome]:checked")?.value;
    if (!outcome) return setText(problem, "Choose how it ended.");
    const more = reason.value.trim() ? { reason: reason.value.trim() } : {};
    try {
      await current.channel.send("incident.state", { state: "ended", outcome, ...more });
      dialog.close();
      shell.toast(`Ended: ${outcomes[outcome].toLowerCase()}.`, { action: "Reopen", run: () => reopen(desk, shell, current.id) });
    } catch (error) {
      setText(problem, error.message);
    }
    return undefined;
  };
  const form = build(
    "form", { class: "form", onsubmit: submit },
    build("fieldset", {}, build("legend", {}, "How did it end?"), build("div", { class: "outcomes" }, ...choices)),
    build("label", { for: "end-reason" }, "More, if it matters"), reason,
    build("p", { class: "hint" }, "Video, links and chat end for everybody. You can reopen it."), problem,
    build("div", { class: "row" }, build("button", { class: "danger" }, "End the incident"), build("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Go on with it")));
  const dialog = showDialog(`End ${current.model.type || `#${current.id}`}?`, form);
}

/** Takes an end back. */
export async function reopen(desk, shell, id) {
  try {
    await desk.submit(id, "incident.state", { state: "reopened" });
    shell.toast("Open again. Callers need a new link.");
  } catch (error) {
    shell.toast(error.message, { isProblem: true });
  }
}
