/**
 * What surrounds every staff page: the bar with the service's name, the way to the other pages, the person, the theme and
 * the keys; the dialog that asks for the password when the session is locked; and short messages.
 * @module
 */

import { build, setText } from "./dom.js";
import { icon } from "./icons.js";
import { Shortcuts } from "./keys.js";
import { ServiceError, Session } from "./session.js";
import { applyTheme, nextTheme } from "./theme.js";

/** Milliseconds that a message stays. */
const toastTime = 6000;

const staff = ["operator", "dispatcher", "supervisor", "trainer"];
/** Pages in the order of the bar: address, words, icon, whose. */
const pages = [
  ["/console", "Incidents", "list", staff],
  ["/field", "My incidents", "unit", ["responder"]],
  ["/wall", "Wall", "wall", ["supervisor"]],
  ["/archive", "Archive", "archive", ["operator", "supervisor", "custodian", "auditor", "trainer"]],
  ["/dashboard", "Figures", "chart", ["supervisor", "admin"]],
  ["/audit", "Audit", "audit", ["supervisor", "custodian", "auditor"]],
  ["/exercise", "Exercise", "train", ["trainer", "supervisor"]],
  ["/admin", "Administration", "settings", ["admin"]],
];

/** Who may use a page that is not in their bar: people of the control room go to scenes as well. */
const alsoFor = { "/field": staff };

/** The page on which somebody of a role begins. @param {string} role */
export function homeOf(role) {
  if (role === "admin") return "/admin";
  return pages.find(([, , , roles]) => roles.includes(role))?.[0] ?? "/account";
}

/**
 * @typedef {object} Shell
 * @property {Session} session
 * @property {Shortcuts} shortcuts
 * @property {{name: string, recorded: boolean, map: {available: boolean, tiles?: string, attribution?: string},
 *   sends: {sms: boolean, email: boolean}}} service
 * @property {(text: string) => void} state says how the connection stands; empty while all is well
 * @property {(text: string, options?: {isProblem?: boolean, action?: string, run?: () => void}) => void} toast
 */

/**
 * Builds the bar into `<header class="bar">` of the page and finds out who is here.
 * @param {{title: string}} page
 * @returns {Promise<Shell>}
 */
export async function openShell({ title }) {
  applyTheme();
  const [session, service] = await Promise.all([Session.open(), learnService()]);
  const home = session.address(homeOf(session.person.role));
  document.title = `${title} · ${service.name}`;
  const shortcuts = new Shortcuts();
  const state = build("p", { class: "bar-state", role: "status" });
  document.querySelector("header.bar").replaceChildren(
    build("a", { class: "bar-name", href: home }, service.name),
    navigation(session),
    state,
    build("button", { class: "quiet", title: "Theme", onclick: nextTheme }, icon("theme"), build("span", {}, "Theme")),
    build("button", { class: "quiet", title: "Keys (?)", "aria-haspopup": "dialog", onclick: () => shortcuts.show() }, icon("keyboard"), build("span", {}, "Keys")),
    personMenu(session),
  );
  const toasts = build("div", { class: "toasts", role: "status" });
  document.body.append(toasts);
  session.addEventListener("locked", () => askPassword(session));
  if (!isForRole(session.person.role)) await refuse(session.person, home);
  return { session, service, shortcuts, state: (text) => setText(state, text), toast: (...what) => toast(toasts, ...what) };
}

/** Whether the page at this address is for somebody of `role`; pages that are not in the bar are for everyone. */
function isForRole(role) {
  const page = pages.find(([address]) => location.pathname === address || location.pathname.startsWith(`${address}/`));
  return !page || page[3].includes(role) || (alsoFor[page[0]] ?? []).includes(role);
}

/** Says that the page is somebody else's, and stays that way. */
async function refuse({ name, role }, home) {
  document.querySelector("main").replaceChildren(
    build("section", { class: "refusal" },
      build("h1", {}, "This page is not for your role"),
      build("p", {}, `You are signed in as ${name}, ${role}. Go to your own page, or sign in as somebody else.`),
      build("a", { class: "button primary", href: home }, "My page")));
  document.body.dataset.refused = role;
  await new Promise(() => {});
}

async function learnService() {
  try {
    return await new Session("").get("/api/v1/service");
  } catch {
    return { name: "Sightline", recorded: false, map: { available: false }, sends: { sms: false, email: false } };
  }
}

function navigation(session) {
  const links = pages
    .filter(([, , , roles]) => roles.includes(session.person.role))
    .map(([address, words, symbol]) => {
      const isHere = location.pathname === address || location.pathname.startsWith(`${address}/`);
      return build("a", { href: session.address(address), "aria-current": isHere ? "page" : undefined }, icon(symbol), build("span", {}, words));
    });
  return build("nav", { "aria-label": "Pages" }, ...links);
}

function personMenu(session) {
  const { name, role } = session.person;
  const lock = async () => {
    await session.post("/api/v1/lock");
    askPassword(session);
  };
  // Without a session of the browser there is nothing to lock or to sign out of.
  const items = session.token
    ? []
    : [
        build("a", { href: "/account" }, icon("user"), "Password and second factor"),
        build("button", { onclick: lock }, icon("lock"), "Lock"),
        build("button", { onclick: () => session.signOut() }, icon("leave"), "Sign out"),
      ];
  return build(
    "details", { class: "menu" },
    build("summary", {}, icon("user"), build("span", {}, name)),
    build("div", { class: "menu-items" }, build("p", {}, `${name}, ${role}`), ...items));
}

/** The session is locked for resting: what runs goes on, and the next action needs the password. */
function askPassword(session) {
  if (document.getElementById("unlock")) return;
  const password = build("input", { id: "unlock-password", type: "password", autocomplete: "current-password", required: true });
  const problem = build("p", { class: "problem", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    try {
      await session.unlock(password.value);
      dialog.close();
      dialog.remove();
      session.dispatchEvent(new Event("unlocked"));
    } catch (error) {
      setText(problem, error instanceof ServiceError ? error.message : "That did not work. Try again.");
      password.select();
      if (error.code === "signInRequired") location.reload();
    }
  };
  const dialog = build(
    "dialog", { id: "unlock", "aria-labelledby": "unlock-title" },
    build("h2", { id: "unlock-title" }, "Locked"),
    build("p", {}, `Nothing was done here for a while. Type your password to go on, ${session.person.name}.`),
    build("form", { class: "form", onsubmit: submit }, build("label", { for: "unlock-password" }, "Password"), password, problem, build("button", { class: "primary" }, "Go on")));
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(dialog);
  dialog.showModal();
}

function toast(toasts, text, { isProblem = false, action, run } = {}) {
  const close = () => row.remove();
  const button = action && build("button", { onclick: () => [run(), close()] }, action);
  const row = build("div", { class: isProblem ? "toast problem" : "toast" }, build("p", {}, text), button, build("button", { class: "quiet", onclick: close }, icon("close"), build("span", { class: "unseen" }, "Close")));
  toasts.append(row);
  setTimeout(close, isProblem || action ? 2 * toastTime : toastTime);
}
