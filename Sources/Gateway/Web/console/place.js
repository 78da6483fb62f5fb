/**
 * Where it is: the map, and the same in words with age and accuracy.
 * @module
 */

import { build, setState, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { age, distance, secondsSince } from "../shared/times.js";

/** Seconds after which a place counts as old. */
const old = 60;
const sources = { device: "phone", network: "network", manual: "set by hand", staff: "set by hand", aml: "network (AML)" };

/** The topmost part of the right column. */
export class Place {
  root;
  #current;
  #shell;
  #map;
  #frame = build("div", { class: "map", hidden: true });
  #words = build("p", { class: "place-words", role: "status" });
  #age = build("p", { class: "place-age figures" });
  #copy;
  #again;
  #asked = build("span", { class: "hint" });
  #address;
  #isClosed = false;

  /** @param {import("./current.js").CurrentIncident} current @param {import("../shared/shell.js").Shell} shell */
  constructor(current, shell) {
    [this.#current, this.#shell] = [current, shell];
    this.#copy = build("button", { class: "small", title: "Copy the coordinates", onclick: () => this.#copyPlace() }, icon("link"), build("span", { class: "figures" }));
    this.#again = build("button", { class: "small", onclick: () => this.#ask() }, icon("locate"), build("span", {}));
    this.#address = build("input", { id: "place-text", maxlength: "500", autocomplete: "off", placeholder: "Address, or 53.5503, 9.9928" });
    this.#address.addEventListener("change", () => this.#set());
    this.#address.addEventListener("keydown", ({ key }) => (key === "Enter" || key === "Escape") && this.#address.blur());
    this.root = build(
      "section", { class: "fact place", "aria-labelledby": "place-title" }, build("h2", { id: "place-title", class: "unseen" }, "Place"), this.#frame,
      build("div", { class: "place-line" }, build("div", { class: "place-what" }, this.#words, this.#age), build("div", { class: "buttons" }, this.#copy, this.#again)),
      this.#asked, build("label", { for: "place-text", class: "unseen" }, "Address or coordinates, set by hand"), this.#address);
    this.#loadMap();
  }

  async #loadMap() {
    try {
      const { IncidentMap } = await import("../shared/map.js");
      if (this.#isClosed) return;
      this.#map = new IncidentMap(this.#frame, { service: this.#shell.service, session: this.#shell.session });
      this.render();
    } catch (error) {
      // The words below say the same.
      console.info("sightline: no map:", error.message);
    }
  }

  close() {
    this.#isClosed = true;
    this.#map?.destroy?.();
  }

  #copyPlace() {
    const { lat, lon } = this.#current.model.point;
    navigator.clipboard.writeText(`${lat.toFixed(5)}, ${lon.toFixed(5)}`).then(
      () => this.#shell.toast("The coordinates are copied."), () => this.#shell.toast("Copying is not allowed here.", { isProblem: true }));
  }

  #ask() {
    const caller = this.#current.model.headline;
    this.#current.happen("command", { caller: caller.id, command: "requestLocation" });
  }

  #set() {
    const text = this.#address.value.trim();
    const [, lat, lon] = text.match(/^(-?\d+(?:\.\d+)?)[\s,;]+(-?\d+(?:\.\d+)?)$/) ?? [];
    const isPlace = lat !== undefined && Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
    const place = isPlace ? { lat: Number(lat), lon: Number(lon) } : { ...this.#current.model.place, text };
    if (text) this.#current.happen("incident.classified", { place });
  }

  render() {
    const { model } = this.#current;
    const fix = model.point;
    // An empty map takes room from people and talk.
    setState(this.#frame, "hidden", !this.#map || (!fix && [...model.units.values()].every((unit) => !unit.fix)));
    this.#map?.update(model, {});
    const seconds = fix && secondsSince(fix.fixedAt);
    setText(this.#words, fix ? [fix.accuracy === undefined ? "accuracy unknown" : `within ${distance(fix.accuracy)}`, sources[fix.source] ?? fix.source].filter(Boolean).join(", ") : "Nobody knows the place yet.");
    setText(this.#age, fix ? `, ${age(seconds)}` : "");
    setState(this.root, "data-old", fix !== undefined && seconds > old);
    setState(this.#copy, "hidden", !fix);
    if (fix) setText(this.#copy.lastChild, `${fix.lat.toFixed(5)}, ${fix.lon.toFixed(5)}`);
    setText(this.#again.lastChild, fix ? "Ask again" : "Ask for it");
    setState(this.#again, "hidden", model.isClosed || !model.headline || !this.#current.may("command"));
    const text = model.place?.text ?? (model.place?.lat === undefined ? "" : `${model.place.lat}, ${model.place.lon}`);
    if (document.activeElement !== this.#address && this.#address.value !== text) this.#address.value = text;
    this.#address.disabled = model.isClosed || !this.#current.may("classify");
    const asked = model.commands.findLast(({ command }) => command === "requestLocation");
    setText(this.#asked, asked && secondsSince(asked.time) < 30 ? answer(asked) : "");
  }
}

function answer({ status, detail }) {
  if (!status) return "Location asked for.";
  const words = { done: "The phone has answered.", shown: "The phone shows it.", refused: "The caller's phone does not give it", unsupported: "The phone cannot tell its place", failed: "The phone could not find its place" };
  return `${words[status]}${detail && status !== "done" ? `: ${detail}` : ""}`;
}
