/**
 * Legal hold: keeps everything of an incident from being deleted, with a reason, until somebody lets it go with another.
 * @module
 */

import { build, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";

/** Who may. */
const roles = ["supervisor", "custodian"];

/**
 * Shows the button to those who may hold.
 * @param {HTMLButtonElement} button
 * @param {import("../shared/shell.js").Shell} shell
 * @param {string} incident
 */
export async function offerHold(button, { session, toast }, incident) {
  if (!session.is(...roles)) return;
  const path = `/api/v1/incidents/${encodeURIComponent(incident)}`;
  let isHeld;
  try {
    isHeld = (await session.get(path)).held === true;
  } catch {
    // The page itself says why the incident cannot be seen.
    return;
  }
  const render = () => {
    button.replaceChildren(icon("hold"), isHeld ? "Held against deletion" : "Hold");
    button.setAttribute("aria-pressed", String(isHeld));
    button.hidden = false;
  };
  button.addEventListener("click", () => ask(isHeld, async (reason) => {
    await session.post(`${path}/hold`, { held: !isHeld, reason });
    isHeld = !isHeld;
    render();
    toast(isHeld ? "Nothing of this incident is deleted from now on." : "The hold is lifted: the usual times count again.");
  }));
  render();
}

function ask(isHeld, run) {
  const reason = build("textarea", { id: "hold-reason", rows: 2, required: true, minlength: 3, maxlength: 500 });
  const problem = build("p", { class: "problem", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    try {
      await run(reason.value.trim());
      dialog.close();
    } catch (error) {
      setText(problem, error.message);
    }
  };
  const dialog = build(
    "dialog", { "aria-labelledby": "hold-title", onclose: () => dialog.remove() },
    build("h2", { id: "hold-title" }, isHeld ? "Lift the hold?" : "Hold against deletion?"),
    build("form", { class: "form", onsubmit: submit },
      build("label", { for: "hold-reason" }, "Why? It is kept in the incident."), reason, problem,
      build("div", { class: "row" }, build("button", { class: "primary" }, isHeld ? "Lift the hold" : "Hold"),
        build("button", { type: "button", onclick: () => dialog.close() }, "Not now"))));
  document.body.append(dialog);
  dialog.showModal();
}
