/**
 * How long recordings are kept, what a sweep would delete, and the sweep.
 * @module
 */

import { build } from "../shared/dom.js";
import { ask, field, form, inWords } from "../shared/forms.js";
import { bytes, dayAndTime } from "../shared/times.js";

const classes = {
  media: ["Recordings, days", "Video and sound of every stream."],
  stills: ["Stills, days", "Single pictures out of streams, for walls and search results."],
  late: ["Late uploads, days", "What callers' phones hand over after a bad connection."],
};
const names = { media: "recordings", stills: "stills", late: "late uploads" };

export class Retention {
  #shell;
  #panel;
  #preview = build("div", { class: "form" });

  /** @param {import("../shared/shell.js").Shell} shell */
  constructor(shell) {
    this.#shell = shell;
  }

  /** @param {HTMLElement} panel */
  async show(panel) {
    this.#panel = panel;
    if (!panel.firstChild) panel.replaceChildren(build("h2", {}, "Retention"), build("p", { class: "hint", role: "status" }, "Loading…"));
    try {
      this.#render(await this.#shell.session.get("/api/v1/retention"));
    } catch (error) {
      panel.replaceChildren(build("h2", {}, "Retention"), build("p", { class: "problem" }, inWords(error)));
    }
  }

  #render({ policy, space }) {
    this.#preview.replaceChildren();
    this.#panel.replaceChildren(
      build("h2", {}, "Retention"),
      build("p", { class: "hint" }, "Days count from an incident's end. Holds come before them: what a supervisor or custodian holds is never deleted. Journals are always kept."),
      this.#policy(policy), this.#space(space), this.#sweep(), this.#preview);
  }

  #policy(policy) {
    const inputs = Object.fromEntries(
      Object.keys(classes).map((name) => [name, build("input", { id: `retention-${name}`, type: "number", min: 1, max: 36500, placeholder: "for ever", value: policy[name] ?? "" })]));
    const send = async () => {
      const wish = Object.fromEntries(Object.entries(inputs).filter(([, { value }]) => value !== "").map(([name, { value }]) => [name, Number(value)]));
      const shorter = Object.keys(wish).filter((name) => wish[name] < (policy[name] ?? Infinity));
      if (shorter.length === 0) return this.#set(wish);
      ask({
        title: "Keep for a shorter time?", action: "Set these days",
        text: `The daily sweep deletes ${shorter.map((name) => `${names[name]} older than ${wish[name]} days`).join(", ")}. What is deleted cannot be brought back. Look at the preview first if you are not sure.`,
        run: () => this.#set(wish),
      });
    };
    const fields = Object.entries(classes).map(([name, [label, hint]]) => field(label, inputs[name], hint));
    return build(
      "section", { class: "panel" }, build("h2", {}, "How long things are kept"),
      build("div", { class: "inside" }, form({ submit: "Save", send }, build("div", { class: "tools" }, ...fields), build("p", { class: "hint" }, "An empty field keeps them for ever."))));
  }

  async #set(policy) {
    await this.#shell.session.request("PUT", "/api/v1/retention", { json: policy });
    this.#shell.toast("Saved. The next sweep goes by it.");
    this.#render(await this.#shell.session.get("/api/v1/retention"));
  }

  #space({ archive, quota, diskFree, diskCapacity }) {
    const isKnown = diskCapacity > 0;
    const text = isKnown
      ? `Recordings take ${bytes(archive)} of ${bytes(quota)}; ${bytes(diskFree)} of ${bytes(diskCapacity)} are free on their disk.`
      : "The room that recordings take is measured within a minute of the start.";
    return build("section", { class: "panel" }, build("h2", {}, "Room"), build("div", { class: "inside" }, build("p", {}, text)));
  }

  #sweep() {
    const look = async () => {
      this.#preview.replaceChildren(build("p", { class: "hint", role: "status" }, "Looking at what is over…"));
      try {
        this.#show(await this.#shell.session.get("/api/v1/retention/preview"));
      } catch (error) {
        this.#preview.replaceChildren(build("p", { class: "problem" }, inWords(error)));
      }
    };
    return build("div", { class: "row-end" }, build("button", { type: "button", id: "retention-preview", onclick: look }, "What would be deleted now?"));
  }

  #show({ count, files, bytes: size, items, held, failures }) {
    const kept = held.length > 0 ? ` ${held.length} incident${held.length === 1 ? " is" : "s are"} kept by a hold.` : "";
    if (count === 0) {
      this.#preview.replaceChildren(build("p", { role: "status" }, `Nothing is over: a sweep would delete nothing.${kept}`));
      return;
    }
    const heading = build("thead", {}, build("tr", {}, ...["Incident", "Ended", "What", "Rule", "Size"].map((text) => build("th", { scope: "col" }, text))));
    const rows = items.slice(0, 100).map((item) =>
      build(
        "tr", {}, build("td", { "data-label": "Incident" }, item.incident), build("td", { "data-label": "Ended", class: "figures" }, dayAndTime(item.endedAt)),
        build("td", { "data-label": "What" }, `${item.files} files of ${names[item.class] ?? item.class}${item.destroysKey ? ", and the key that opens them" : ""}`),
        build("td", { "data-label": "Rule" }, item.rule), build("td", { "data-label": "Size", class: "figures" }, bytes(item.bytes))));
    const more = count > rows.length ? build("p", { class: "hint" }, `And ${count - rows.length} more.`) : "";
    const sweep = () =>
      ask({
        title: "Delete this now?", action: `Delete ${files} files`,
        text: `${files} files, ${bytes(size)}, of ${count} entries. It is written down in each incident's journal, and cannot be undone.`,
        run: async () => {
          const report = await this.#shell.session.post("/api/v1/retention/sweep");
          this.#shell.toast(`${report.files} files were deleted.${report.failures.length > 0 ? ` ${report.failures.length} could not be.` : ""}`, { isProblem: report.failures.length > 0 });
          this.#show(await this.#shell.session.get("/api/v1/retention/preview"));
        },
      });
    this.#preview.replaceChildren(
      build("p", { role: "status" }, `A sweep would delete ${files} files, ${bytes(size)}.${kept}`),
      build("div", { class: "table-scroll" }, build("table", { class: "table cards" }, heading, build("tbody", {}, ...rows))), more,
      ...failures.map(({ incident, error }) => build("p", { class: "problem" }, `${incident}: ${error}`)),
      build("div", { class: "row-end" }, build("button", { type: "button", onclick: sweep }, "Delete now…"), build("p", { class: "hint" }, "It happens by itself once a day.")));
  }
}
