/**
 * What callers see of the service, and how long links last: counts at once when it is saved.
 * @module
 */

import { build } from "../shared/dom.js";
import { field, form, inWords } from "../shared/forms.js";
import { segments } from "./smslength.js";

export class Service {
  #shell;
  #panel;

  /** @param {import("../shared/shell.js").Shell} shell */
  constructor(shell) {
    this.#shell = shell;
  }

  /** @param {HTMLElement} panel */
  async show(panel) {
    this.#panel = panel;
    if (panel.firstChild) return;
    panel.replaceChildren(build("h2", {}, "Service"), build("p", { class: "hint", role: "status" }, "Loading the settings…"));
    try {
      this.#render(await this.#shell.session.get("/api/v1/settings"));
    } catch (error) {
      panel.replaceChildren(build("h2", {}, "Service"), build("p", { class: "problem" }, inWords(error)));
    }
  }

  #render(answer) {
    const { changed, exampleLink } = answer;
    this.#panel.replaceChildren(
      build("h2", {}, "Service"),
      build("p", { class: "hint" }, "What is saved here counts at once, for everybody, and comes before the command line. Each change is in the audit."),
      this.#names(answer), this.#message(answer, exampleLink), this.#map(answer),
      changed.length > 0 && this.#reset(answer));
  }

  #names({ settings }) {
    const name = build("input", { id: "setting-name", maxlength: 64, required: true, value: settings.serviceName });
    const minutes = (id, value) => build("input", { id, type: "number", min: 1, max: 10080, required: true, value });
    const caller = minutes("setting-caller-minutes", settings.callerLinkMinutes);
    const guest = minutes("setting-guest-minutes", settings.guestLinkMinutes);
    const send = () => this.#save({ serviceName: name.value, callerLinkMinutes: Number(caller.value), guestLinkMinutes: Number(guest.value) });
    return this.#section(
      "Name and links",
      form(
        { submit: "Save", send }, field("Name of the service", name, "What callers read first: “… asks to see what you see.” Such as 112 Leitstelle Nord."),
        build(
          "div", { class: "columns" }, field("A caller's link can be opened for, minutes", caller, "A call that has begun goes on; the link then is for nobody else."),
          field("A guest's link lasts, minutes", guest, "For hospitals and experts, unless the operator says otherwise."))));
  }

  #message({ settings }, exampleLink) {
    const text = build("textarea", { id: "setting-text", rows: 3, maxlength: 480, required: true });
    text.value = settings.messageText;
    const bubble = build("p", { class: "bubble", id: "message-preview" });
    const length = build("p", { class: "hint", role: "status", id: "message-length" });
    const render = () => {
      const filled = text.value.trim().replaceAll("{service}", settings.serviceName);
      const [before, after] = filled.split("{link}");
      bubble.replaceChildren(before ?? "", build("u", {}, after === undefined ? "" : `${exampleLink.slice(0, 40)}…`), after ?? "");
      const { characters, parts, unicode } = segments(filled.replace("{link}", exampleLink));
      const kind = unicode ? " It has letters that a plain text message does not know, which makes parts shorter." : "";
      length.textContent = after === undefined ? "{link} is missing: callers would have nothing to open." : `With a link it has ${characters} characters: ${parts === 1 ? "one text message" : `${parts} text messages, joined by the phone`}.${kind}`;
    };
    text.addEventListener("input", render);
    render();
    return this.#section(
      "Text of the message",
      build(
        "div", { class: "columns" },
        form(
          { submit: "Save the text", send: () => this.#save({ messageText: text.value }) },
          field("Text", text, "{service} becomes the name, {link} the address. {link} stands between spaces, so that phones find it.")),
        build("div", { class: "form" }, build("p", { class: "hint" }, "What callers get:"), bubble, length)));
  }

  #map({ settings }) {
    const tiles = build("input", { id: "setting-tiles", maxlength: 500, spellcheck: "false", autocomplete: "off", placeholder: "https://tiles.example.org/{z}/{x}/{y}.png", value: settings.mapTiles });
    const attribution = build("input", { id: "setting-attribution", maxlength: 200, value: settings.mapAttribution });
    return this.#section(
      "Maps",
      form(
        { submit: "Save maps", send: () => this.#save({ mapTiles: tiles.value, mapAttribution: attribution.value }) },
        field("Addresses of map tiles", tiles, "A template with {z}, {x} and {y}. Empty for a plain grid: then no page asks any other server for anything."),
        field("Attribution", attribution, "Shown on every map, as the tiles' licence asks for.")));
  }

  #reset({ changed, standard }) {
    const words = { serviceName: "name", callerLinkMinutes: "callers' link minutes", guestLinkMinutes: "guests' link minutes", messageText: "text", mapTiles: "map tiles", mapAttribution: "attribution" };
    const buttons = changed.map((name) => {
      const value = standard[name] === "" ? "none" : standard[name];
      return build("li", {}, `${words[name]}, on the command line: ${value} `, build("button", { type: "button", class: "link", onclick: () => this.#back(name, words[name]) }, `Use the command line's ${words[name]}`));
    });
    return this.#section("Set here, not on the command line", build("ul", {}, ...buttons));
  }

  async #back(name, words) {
    try {
      await this.#save({ reset: [name] });
    } catch (error) {
      this.#shell.toast(`The ${words} could not be set back. ${inWords(error)}`, { isProblem: true });
    }
  }

  async #save(json) {
    const answer = await this.#shell.session.request("PATCH", "/api/v1/settings", { json });
    this.#render(answer);
    document.querySelector(".bar-name").textContent = answer.settings.serviceName;
    this.#shell.toast("Saved. It counts from now on.");
  }

  #section(title, ...content) {
    return build("section", { class: "panel" }, build("h2", {}, title), build("div", { class: "inside" }, ...content));
  }
}
