/**
 * Bringing people in: a unit, or a guest with a link that ends by itself.
 * @module
 */

import { build, replaceWhenNew, setState, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";

const durations = [[30, "30 min"], [60, "1 h"], [240, "4 h"], [720, "12 h"]];

/** The form below the word "People". */
export class Invitation {
  root;
  #current;
  #shell;
  #desk;
  #units = build("ul", { class: "people-list" });
  /** Units of the agency, as the service told. @type {{unit: string, crew: string[], here: boolean}[] | undefined} */
  #known;
  #problem = build("p", { class: "problem", role: "alert" });
  #fields;
  #leave = () => {};

  /** @param {import("./current.js").CurrentIncident} current @param {import("../shared/shell.js").Shell} shell @param {import("./desk.js").Desk} desk */
  constructor(current, shell, desk) {
    [this.#current, this.#shell, this.#desk] = [current, shell, desk];
    this.root = build("div", { class: "invitation", hidden: true }, build("h3", {}, "Send a unit"), this.#units, this.#form());
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      event.preventDefault();
      this.#leave();
    });
  }

  #form() {
    const mail = this.#shell.service.sends.email;
    const name = build("input", { id: "guest-name", maxlength: "40", autocomplete: "off", required: true, placeholder: "Dr. Kaya" });
    const role = build("input", { id: "guest-role", maxlength: "20", autocomplete: "off", list: "guest-roles", placeholder: "Hospital" });
    const minutes = build("select", { id: "guest-minutes" }, ...durations.map(([value, words]) => build("option", { value, selected: value === 60 }, words)));
    const email = build("input", { id: "guest-email", type: "email", autocomplete: "off" });
    this.#fields = { name, role, minutes, email };
    return build(
      "form", { class: "form", novalidate: true, onsubmit: (event) => [event.preventDefault(), this.#invite()] },
      build("h3", {}, "Invite a guest"), build("p", { class: "hint" }, "They see the picture and talk; no downloads, and only the notes that you give them."),
      build("div", { class: "pair" },
        build("div", {}, build("label", { for: "guest-name" }, "Name"), name), build("div", {}, build("label", { for: "guest-role" }, "As"), role)),
      build("datalist", { id: "guest-roles" }, ...["Hospital", "Expert", "Interpreter", "Police", "Fire service"].map((value) => build("option", { value }))),
      build("div", { class: "pair" }, build("div", {}, build("label", { for: "guest-minutes" }, "For"), minutes),
        mail ? build("div", {}, build("label", { for: "guest-email" }, "Mail it to (else it is shown)"), email) : ""),
      this.#problem, build("button", { class: "primary" }, icon("link"), "Make the link"));
  }

  /** @param {() => void} leave closes it again */
  async open(leave) {
    this.#leave = leave;
    this.root.hidden = false;
    this.#fields.name.focus();
    try {
      ({ units: this.#known } = await this.#shell.session.get("/api/v1/people"));
      this.render();
    } catch (error) {
      setText(this.#problem, error.message);
    }
  }

  async #invite() {
    const { name, role, minutes, email } = this.#fields;
    const who = [name.value.trim(), role.value.trim()].filter(Boolean).join(", ");
    if (!name.value.trim()) return [setText(this.#problem, "Type who it is for."), name.focus()];
    if (!email.checkValidity()) return [setText(this.#problem, "This is not a mail address."), email.focus()];
    setText(this.#problem, "");
    const way = email.value ? { send: "email", email: email.value } : { send: "shown" };
    try {
      const made = await this.#current.makeLink({ role: "guest", name: who, minutes: Number(minutes.value), ...way });
      name.value = role.value = email.value = "";
      this.#leave();
      if (way.send === "shown") this.#desk.showLink({ ...made, name: who });
      else this.#shell.toast(`The link for ${who} was mailed.`);
    } catch (error) {
      setText(this.#problem, error.message);
    }
    return undefined;
  }

  render() {
    if (this.root.hidden) return;
    const { model } = this.#current;
    const rows = (this.#known ?? []).filter(({ unit }) => !model.units.has(unit) || model.units.get(unit).isStoodDown);
    const known = this.#known !== undefined;
    replaceWhenNew(this.#units, [known, rows], () => {
      if (!known) return [build("li", { class: "hint" }, "Fetching units")];
      if (rows.length === 0) return [build("li", { class: "hint" }, "No other units.")];
      return rows.map(({ unit, crew, here }) => build(
        "li", { class: "person" }, icon("unit"), build("span", { class: "person-name" }, unit, build("small", {}, ` ${crew.join(", ")}${here ? "" : ", not signed in"}`)),
        build("button", { class: "small", "aria-label": `Send ${unit}`, onclick: () => this.#current.happen("unit.assigned", { unit, name: unit }) }, "Send")));
    });
    setState(this.#units, "hidden", !this.#current.may("assign"));
  }
}
