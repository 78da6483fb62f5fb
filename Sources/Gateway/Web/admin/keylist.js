/**
 * The node's keys, by what everybody may know of them, and what has to be in a backup.
 * @module
 */

import { build } from "../shared/dom.js";
import { copyButton, inWords } from "../shared/forms.js";
import { icon } from "../shared/icons.js";
import { dayAndTime } from "../shared/times.js";

export class Keys {
  #shell;

  /** @param {import("../shared/shell.js").Shell} shell */
  constructor(shell) {
    this.#shell = shell;
  }

  /** @param {HTMLElement} panel */
  async show(panel) {
    if (!panel.firstChild) panel.replaceChildren(build("h2", {}, "Keys"), build("p", { class: "hint", role: "status" }, "Loading…"));
    try {
      const report = await this.#shell.session.get("/api/v1/keys");
      panel.replaceChildren(build("h2", {}, "Keys"), this.#archive(report), this.#links(report), this.#backups(report));
    } catch (error) {
      panel.replaceChildren(build("h2", {}, "Keys"), build("p", { class: "problem" }, inWords(error)));
    }
  }

  #archive({ archiveKeys, encryptsArchives }) {
    const rows = archiveKeys.map(({ key, since, until }) =>
      build(
        "tr", {}, build("td", { "data-label": "Public key" }, build("span", { class: "copyable" }, key)),
        build("td", { "data-label": "In use", class: "figures" }, `${dayAndTime(since)} to ${until ? dayAndTime(until) : "now"}`),
        build("td", {}, copyButton(() => key))));
    const heading = build("thead", {}, build("tr", {}, ...["Public key (Ed25519)", "In use"].map((text) => build("th", { scope: "col" }, text)), build("th", { scope: "col" }, build("span", { class: "unseen" }, "Copy"))));
    const state = encryptsArchives
      ? build("span", { class: "mark", dataset: { state: "good" } }, icon("lock"), "New archives are encrypted")
      : build("span", { class: "mark" }, icon("lock"), "New archives are not encrypted");
    return build(
      "section", { class: "panel" }, build("header", {}, build("h2", {}, "Archives"), state),
      build(
        "div", { class: "inside" },
        build("p", { class: "hint" }, "Every recording is sealed with the key in use. Keep the public keys where nobody who can write the archives can change them: with them “sightline verify” proves that nothing was changed. A new key: “sightline archive-keys rotate”, also while the node runs."),
        rows.length > 0 ? build("div", { class: "table-scroll" }, build("table", { class: "table cards" }, heading, build("tbody", {}, ...rows))) : build("p", { class: "empty" }, "Nothing was ever recorded here, so there is no key yet."),
        !encryptsArchives && build("p", { class: "hint" }, "Encryption begins with the option --encrypt-archives at the next start. Copy the key that it makes to a safe place the same day.")));
  }

  #links({ linkKey }) {
    return build(
      "section", { class: "panel" }, build("h2", {}, "Links"),
      build("div", { class: "inside" }, build("p", { class: "hint" }, "Signs the links that callers and guests get. Other nodes that should take these links need the same key; its thumbprint (RFC 7638) tells whether they have it."), build("p", { class: "row-end" }, build("span", { class: "copyable", id: "link-key" }, linkKey), copyButton(() => linkKey))));
  }

  #backups({ backups }) {
    const rows = backups.map(({ name, use, exists }) =>
      build(
        "tr", {}, build("td", { "data-label": "In the data folder" }, build("span", { class: "copyable" }, name)), build("td", { "data-label": "What it is for" }, use),
        build("td", { "data-label": "Now" }, exists ? build("span", { class: "mark", dataset: { state: "good" } }, icon("check"), "There") : build("span", { class: "mark" }, "Not used"))));
    const heading = build("thead", {}, build("tr", {}, ...["In the data folder", "What it is for", "Now"].map((text) => build("th", { scope: "col" }, text))));
    return build(
      "section", { class: "panel" }, build("h2", {}, "What has to be in a backup"),
      build("div", { class: "inside" }, build("p", { class: "hint" }, "Key files can be read by the node's user alone. Keep their copies apart from the copies of what they open."), build("div", { class: "table-scroll" }, build("table", { class: "table cards" }, heading, build("tbody", {}, ...rows)))));
  }
}
