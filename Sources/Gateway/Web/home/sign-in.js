/**
 * The sign-in page: name and password, and the second factor's code once the service asks for it.
 * @module
 */

import { expose } from "../shared/access.js";
import { build, element, setState, setText } from "../shared/dom.js";
import { Session } from "../shared/session.js";
import { homeOf } from "../shared/shell.js";
import { applyTheme } from "../shared/theme.js";
import { destination, learnService, learnSession } from "./door.js";

applyTheme();

const form = element("form");
const [userName, password, code, submit] = ["user-name", "password", "code", "submit"].map(element);
const wish = new URLSearchParams(location.search).get("next");

/** Whether the code is asked for, whether an answer is waited for, and until when (ms since the page's start) to wait. */
const state = { asksCode: false, isBusy: false, lockedUntil: 0 };
let timer;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!state.isBusy && remaining() === 0) signIn();
});
element("show").addEventListener("click", showPassword);
// Six digits are a whole code: nobody has to look for the button.
code.addEventListener("input", () => {
  if (digits().length === 6) form.requestSubmit();
});
for (const input of [userName, password, code]) input.addEventListener("input", () => setState(input, "aria-invalid", undefined));

learnService().then((service) => {
  if (!service) return;
  setText(element("service-name"), service.name);
  document.title = `Sign in · ${service.name}`;
});
learnSession().then(({ state: session, name, role }) => {
  if (session === "none" || state.isBusy) return;
  const present = element("present");
  present.hidden = false;
  if (session === "locked") {
    setText(present, "Your session was locked because nothing was done for a while. Sign in to go on.");
    return;
  }
  const target = destination(wish, homeOf(role));
  present.replaceChildren(`You are signed in as ${name}. `, build("a", { href: target }, "Go on"), ", or sign in as somebody else.");
});
if (!userName.value) userName.focus();
render();

async function signIn() {
  const missing = [userName, password].find((input) => input.value === "");
  if (missing) return refuse(missing === userName ? "Type your user name." : "Type your password.", missing);
  state.isBusy = true;
  render();
  try {
    const json = { userName: userName.value.trim(), password: password.value, ...(state.asksCode && { code: digits() }) };
    const { account } = await new Session("").post("/api/v1/sign-in", json);
    location.assign(destination(wish, homeOf(account.role)));
  } catch (error) {
    state.isBusy = false;
    take(error);
  }
}

/** @param {import("../shared/session.js").ServiceError} error */
function take(error) {
  if (error.code === "codeRequired") return askCode();
  if (error.retryAfter && ["lockedOut", "tooManyFailures"].includes(error.code)) return wait(error.retryAfter);
  if (error.code === "badCredentials" && state.asksCode) {
    code.value = "";
    return refuse("That code is not right, or it was used already. Wait for the next one and type it.", code);
  }
  if (error.code === "badCredentials") {
    password.select();
    return refuse("The name or the password is wrong. Check both; capital letters count in the password.", password);
  }
  refuse(error.message);
}

function askCode() {
  state.asksCode = true;
  setText(element("problem"), "");
  render();
  code.focus();
}

function refuse(text, input) {
  setText(element("problem"), text);
  if (input) {
    setState(input, "aria-invalid", "true");
    input.focus();
  }
  render();
}

/** Says how long the door stays shut, second by second. @param {number} seconds */
function wait(seconds) {
  state.lockedUntil = performance.now() + seconds * 1000;
  setText(element("problem"), "There were too many failed tries. For a while nobody can sign in with this name from here; an admin of your service can help at once.");
  render();
  clearInterval(timer);
  timer = setInterval(render, 1000);
}

function remaining() {
  return Math.max(0, Math.ceil((state.lockedUntil - performance.now()) / 1000));
}

function digits() {
  return code.value.replaceAll(/\D/g, "");
}

function render() {
  element("code-field").hidden = !state.asksCode;
  const seconds = remaining();
  if (seconds === 0 && state.lockedUntil > 0) {
    state.lockedUntil = 0;
    clearInterval(timer);
    setText(element("problem"), "You can try again now.");
  }
  setState(submit, "disabled", state.isBusy || seconds > 0);
  const minutes = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  setText(submit, seconds > 0 ? `Wait ${minutes}` : state.isBusy ? "Signing in…" : "Sign in");
}

function showPassword() {
  const isShown = password.type === "password";
  password.type = isShown ? "text" : "password";
  setState(element("show"), "aria-pressed", String(isShown));
}

expose({
  get state() {
    return { ...state, remaining: remaining() };
  },
  destination: (address) => destination(address, "/home"),
});
