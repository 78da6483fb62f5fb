/**
 * A new incident in one keystroke: number, priority, what happened, how the link gets there. Enter does the rest.
 * @module
 */

import { randomText } from "../shared/access.js";
import { build, setState, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { priorities, priorityMark } from "../shared/priority.js";
import { chooseLocalCode, localCode, parseNumber } from "./phone.js";
import { incidentTypes } from "./words.js";

/** The form above the queue. */
export class NewIncident {
  #desk;
  #shell;
  #fields;
  /** The opening's own name: pressing Enter again after a lost answer opens nothing twice. */
  #name;
  #isSending = false;

  /** @param {import("./desk.js").Desk} desk @param {import("../shared/shell.js").Shell} shell */
  constructor(desk, shell) {
    [this.#desk, this.#shell] = [desk, shell];
    this.root = this.#build();
  }

  /** @returns {import("../shared/keys.js").Shortcut[]} */
  get shortcuts() {
    if (!this.#desk.may("open")) return [];
    return [{ key: "n", words: "New incident", action: () => this.open() }];
  }

  open() {
    this.#desk.layout.toggle("queue", false);
    this.#desk.layout.show("queue");
    if (this.root.hidden) {
      this.#name = randomText(12);
      this.root.reset();
      this.#render();
    }
    this.root.hidden = false;
    this.#fields.phone.focus();
  }

  close() {
    this.root.hidden = true;
    document.getElementById("new")?.focus({ preventScroll: true });
  }

  // MARK: The form

  #build() {
    const { sends } = this.#shell.service;
    const phone = build("input", { id: "new-phone", type: "tel", autocomplete: "off", placeholder: "+49 151 2345678", "aria-describedby": "new-number new-problem" });
    const number = build("p", { id: "new-number", class: "hint figures", role: "status" });
    const code = build("input", { id: "new-code", type: "tel", value: localCode(), autocomplete: "off", maxlength: "4" });
    const email = build("input", { id: "new-email", type: "email", autocomplete: "off" });
    const emailRow = build("div", { class: "form", hidden: true }, build("label", { for: "new-email" }, "Mail address"), email);
    const type = build("input", { id: "new-type", list: "incident-types", maxlength: "64", autocomplete: "off" });
    const problem = build("p", { id: "new-problem", class: "problem", role: "alert" });
    const submit = build("button", { class: "primary" }, icon("send"), build("span", {}, "Open and send link"));
    const ways = [["sms", "SMS", sends.sms], ["email", "Mail", sends.email], ["shown", "Show QR and link", true]].filter(([, , can]) => can);
    this.#fields = { phone, number, code, email, emailRow, type, problem, submit };
    const form = build(
      "form", { id: "new-incident", class: "form new-incident", hidden: true, novalidate: true, "aria-labelledby": "new-title" },
      build("h2", { id: "new-title" }, this.#shell.session.is("trainer") ? "New exercise" : "New incident"),
      build("label", { for: "new-phone" }, "Caller's number"), phone, number,
      build("details", { class: "code" }, build("summary", {}, "Country of local numbers"), build("label", { for: "new-code" }, "Code, such as 49"), code),
      fieldset("Priority", "priority", Object.keys(priorities).map((each) => [each, priorityMark(each), each === "P2"])),
      build("label", { for: "new-type" }, "What happened"), type,
      build("datalist", { id: "incident-types" }, ...incidentTypes.map((value) => build("option", { value }))),
      fieldset("Link", "way", ways.map(([value, words], index) => [value, words, index === 0])), emailRow,
      ways.length === 1 && build("p", { class: "hint" }, "Neither SMS nor mail is set up here: the link is shown as a code to scan."),
      problem,
      build("div", { class: "row" }, submit, build("button", { type: "button", class: "quiet", "aria-label": "Leave without opening", onclick: () => this.close() }, icon("close"))),
      build("p", { class: "hint" }, build("kbd", {}, "Alt 1"), "…", build("kbd", {}, "4"), " priority, ", build("kbd", {}, "Esc"), " leaves"));
    form.addEventListener("input", () => this.#render());
    code.addEventListener("change", () => chooseLocalCode(code.value));
    form.addEventListener("submit", (event) => [event.preventDefault(), this.#submit()]);
    form.addEventListener("keydown", (event) => this.#key(event));
    return form;
  }

  #key(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    }
    // Arrows choose among the radio buttons here, nothing else.
    if (event.key.startsWith("Arrow")) event.stopPropagation();
    const digit = event.code.match(/^(?:Digit|Numpad)([1-4])$/)?.[1];
    const isChoosing = event.altKey || event.target.name === "priority";
    if (!digit || !isChoosing) return;
    event.preventDefault();
    this.root.querySelector(`[name=priority][value=P${digit}]`).checked = true;
  }

  get #values() {
    const of = (name) => this.root.querySelector(`[name=${name}]:checked`)?.value;
    return { priority: of("priority"), way: of("way"), ...parseNumber(this.#fields.phone.value, this.#fields.code.value.replace(/\D/g, "")) };
  }

  #render() {
    const { number: line, phone, emailRow, problem, submit } = this.#fields;
    const { number, isLocal, problem: words, way } = this.#values;
    setText(line, number ? `${number}${isLocal ? ", as a local number" : ""}` : (words ?? ""));
    setState(phone, "aria-invalid", words ? "true" : undefined);
    setState(emailRow, "hidden", way !== "email");
    setText(problem, "");
    setText(submit.querySelector("span"), way === "shown" ? "Open and show link" : "Open and send link");
  }

  // MARK: Opening

  #refuse(field, words) {
    setText(this.#fields.problem, words);
    field.focus();
  }

  async #submit() {
    const { phone, email, type, submit } = this.#fields;
    const { number, problem, way, priority } = this.#values;
    if (this.#isSending) return;
    if (problem) return this.#refuse(phone, problem);
    if (way === "sms" && !number) return this.#refuse(phone, "Type the number that the link goes to, or choose to show it.");
    if (way === "email" && !email.checkValidity()) return this.#refuse(email, "This is not a mail address.");
    if (way === "email" && !email.value) return this.#refuse(email, "Type the mail address that the link goes to.");
    this.#isSending = true;
    submit.disabled = true;
    setText(submit.querySelector("span"), "Opening");
    try {
      await this.#open({ priority, type: type.value.trim() || undefined }, { phone: number, send: way, email: way === "email" ? email.value : undefined });
      this.root.hidden = true;
    } catch (error) {
      setText(this.#fields.problem, error.message);
    } finally {
      this.#isSending = false;
      submit.disabled = false;
      setText(submit.querySelector("span"), way === "shown" ? "Open and show link" : "Open and send link");
    }
  }

  async #open(opening, link) {
    const exercise = this.#shell.session.is("trainer");
    const { id } = await this.#shell.session.post("/api/v1/incidents", { ...opening, exercise, id: this.#name });
    // Whoever opens it has the caller on the line.
    const taking = this.#desk.take(id);
    this.#desk.go(id);
    try {
      const made = await this.#desk.current.makeLink({ role: "caller", name: link.phone ? `Caller ${link.phone.slice(-4)}` : "Caller", ...link });
      if (link.send === "shown") this.#desk.showLink(made);
    } catch (error) {
      this.#shell.toast(`The incident is open. The link was not made: ${error.message}`, { isProblem: true });
    }
    await taking;
  }
}

function fieldset(legend, name, choices) {
  const rows = choices.map(([value, words, isChosen]) => {
    const input = build("input", { type: "radio", name, value, checked: isChosen, id: `new-${name}-${value}` });
    return build("label", { class: "choice" }, input, words);
  });
  return build("fieldset", {}, build("legend", {}, legend), build("div", { class: "choices" }, ...rows));
}
