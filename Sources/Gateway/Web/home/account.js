/**
 * One's own account: password, second factor, tokens, and what was written down of oneself.
 * @module
 */

import { expose } from "../shared/access.js";
import { build, element } from "../shared/dom.js";
import { field, form, inWords } from "../shared/forms.js";
import { openShell } from "../shared/shell.js";
import { dayAndTime } from "../shared/times.js";
import { SecondFactor } from "./factor.js";
import { auditWords } from "./happenings.js";
import { Tokens } from "./tokens.js";

const shell = await openShell({ title: "My account" });
const { session } = shell;
const { account, name, role } = session.person;

if (account) {
  showPerson();
  showPassword();
  new SecondFactor(shell, element("factor"), account.secondFactor).addEventListener("changed", showAudit);
  new Tokens(shell, element("tokens")).addEventListener("changed", showAudit);
  await showAudit();
} else {
  element("person").replaceChildren(build("dd", {}, "You came by a link: there is no account to change."));
  for (const panel of document.querySelectorAll(".account-columns .panel")) panel.remove();
}

function showPerson() {
  const facts = [
    ["Name", name], ["User name", account.userName], ["Role", role], ["Agency", account.agency],
    ["Desk", account.desk], ["Unit", account.unit],
  ];
  element("person").replaceChildren(
    ...facts.filter(([, value]) => value).map(([term, value]) => build("div", {}, build("dt", {}, term), build("dd", {}, value))));
}

function showPassword() {
  const present = build("input", { type: "password", id: "present-password", autocomplete: "current-password", required: true });
  const fresh = build("input", { type: "password", id: "new-password", autocomplete: "new-password", minlength: 12, maxlength: 512, required: true });
  const repeated = build("input", { type: "password", id: "new-password-again", autocomplete: "new-password", required: true });
  const check = () => repeated.setCustomValidity(repeated.value === fresh.value ? "" : "The two are not the same.");
  fresh.addEventListener("input", check);
  repeated.addEventListener("input", check);
  // Password managers file a new password under the name beside it.
  const userName = build("span", { class: "unseen" }, build("input", { type: "text", "aria-label": "User name", autocomplete: "username", value: account.userName, tabindex: "-1", readonly: true }));
  const send = async () => {
    await session.post("/api/v1/me/password", { present: present.value, new: fresh.value });
    if (!session.token) return location.assign("/sign-in?next=/account");
    for (const input of [present, fresh, repeated]) input.value = "";
    shell.toast("The password was changed. Sessions in browsers have ended.");
    await showAudit();
  };
  element("password").replaceChildren(
    build("h2", { id: "password-title" }, "Password"),
    build(
      "div", { class: "inside" },
      form(
        { submit: "Change password", busy: "Changing…", send }, userName, field("Present password", present),
        field("New password", fresh, "At least 12 characters. A few words in a row are easy to type and hard to guess."),
        field("New password again", repeated)),
      build("p", { class: "hint" }, "Everywhere you are signed in, you sign in again with the new one.")));
}

async function showAudit() {
  const panel = element("audit");
  let rows;
  try {
    const { events } = await session.get("/api/v1/me/audit");
    rows = events.slice(0, 50).map((event) =>
      build(
        "tr", {}, build("td", { class: "figures", "data-label": "When" }, dayAndTime(event.time)),
        build("td", { "data-label": "What" }, auditWords(event)),
        build("td", { "data-label": "From", class: "figures" }, event.payload.from ?? "")));
  } catch (error) {
    panel.replaceChildren(build("h2", { id: "audit-title" }, "Written down about you"), build("p", { class: "inside problem" }, inWords(error)));
    return;
  }
  const heading = build("thead", {}, build("tr", {}, ...["When", "What", "From"].map((text) => build("th", { scope: "col" }, text))));
  panel.replaceChildren(
    build("h2", { id: "audit-title" }, "Written down about you"),
    build(
      "div", { class: "inside" },
      build("p", { class: "hint" }, "If something here was not you, change your password and tell an admin."),
      rows.length > 0 ? build("div", { class: "table-scroll" }, build("table", { class: "table cards" }, heading, build("tbody", {}, ...rows))) : build("p", { class: "empty" }, "Nothing yet.")));
}

expose({
  get person() {
    return session.person;
  },
});
