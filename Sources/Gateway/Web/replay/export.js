/**
 * Evidence packages of an incident: ask for one, decide about another's, follow it, fetch it.
 * @module
 */

import { authorization } from "../shared/access.js";

/** Who may ask for packages and decide about others'. */
const roles = new Set(["supervisor", "custodian"]);

/** Milliseconds between two looks, while something is under way and while nothing is. */
const busyPause = 1000;
const idlePause = 15_000;
/** Reasons that are taken, characters. */
const [minimumReason, maximumReason] = [3, 500];

/** What is said; comments are for translators. */
const words = {
  heading: "Evidence package",
  explanation:
    "The recording as it is, films, the journal, and signatures, in one file. The journal keeps who asked for it, who agreed and who fetched it.",
  reason: "Why is it needed?",
  ask: "Ask for a package",
  // {count}: how many parts are hidden.
  redacted: (count) =>
    count === 0
      ? "No redacted copy: nothing was drawn over the pictures."
      : `With a redacted copy that hides ${count} ${count === 1 ? "part" : "parts"}; the original is in the package too.`,
  none: "No package has been asked for.",
  approve: "Agree",
  refuse: "Refuse",
  withdraw: "Withdraw",
  remove: "Delete the package",
  fetch: (bytes) => `Fetch the package (${size(bytes)})`,
  asked: (name, time) => `${name}, ${time}`,
  // {state}: how it stands, after the name of who asked.
  states: {
    requested: "waits for a second person",
    approved: "waits for its turn",
    making: "is being made",
    ready: "is ready",
    failed: "failed",
    refused: "was refused",
    withdrawn: "was withdrawn",
    deleted: "was deleted",
  },
  steps: { journal: "journal", films: "films", packing: "packing" },
  unreachable: "The server cannot be reached. What was asked for goes on.",
};

/** Bytes as people say them. */
function size(bytes) {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
}

/**
 * @typedef {object} ExportOptions
 * @property {string} incident
 * @property {() => Record<string, string>} headers what lets a request in: `Authorization`, or `X-CSRF-Token` with a session
 * @property {string} [token] for the address of the download, where the browser sends no header; a session needs none
 * @property {() => string} self who we are in the journal
 * @property {boolean} mayApprove
 * @property {() => object | null} [redaction] what redacted copies are to hide, as the API takes it
 */

/**
 * Fills an element with the panel and keeps it up to date until {@link ExportPanel#close}. Dispatches `change` when an
 * export has come to another state.
 */
export class ExportPanel extends EventTarget {
  /** @type {object[]} as the API lists them */
  exports = [];

  #options;
  #address;
  #form;
  #reason;
  #list;
  #status;
  #redacted;
  #timer;
  #isClosed = false;

  /**
   * @param {HTMLElement} root
   * @param {ExportOptions} options
   */
  constructor(root, options) {
    super();
    this.#options = options;
    this.#address = `/api/v1/incidents/${encodeURIComponent(options.incident)}/exports`;
    this.#build(root);
    this.#look();
  }

  /** Says what a redacted copy would hide, as it is now; call it when the panel is opened. */
  refresh() {
    const order = this.#options.redaction?.();
    const count = (order?.regions?.length ?? 0) + (order?.mutes?.length ?? 0);
    this.#redacted.textContent = words.redacted(count);
  }

  /** Ends the looking. */
  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #build(root) {
    const heading = element("h2", words.heading);
    heading.id = "export-heading";
    root.setAttribute("aria-labelledby", heading.id);
    root.classList.add("exports");
    this.#redacted = element("p");
    const label = element("label", words.reason);
    label.htmlFor = "export-reason";
    this.#reason = element("textarea");
    Object.assign(this.#reason, {
      id: label.htmlFor, rows: 2, required: true, minLength: minimumReason, maxLength: maximumReason,
    });
    const button = element("button", words.ask);
    button.className = "primary";
    this.#form = element("form");
    this.#form.append(label, this.#reason, button);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask();
    });
    this.#list = element("ul");
    this.#list.append(element("li", words.none));
    this.#status = element("p");
    this.#status.setAttribute("role", "status");
    root.replaceChildren(heading, element("p", words.explanation), this.#redacted, this.#form, this.#status, this.#list);
  }

  async #ask() {
    const redact = this.#options.redaction?.() ?? undefined;
    await this.#do("POST", "", { reason: this.#reason.value.trim(), redact }, () => {
      this.#form.reset();
    });
  }

  /** One request that changes something; what is wrong with it is said on the page. */
  async #do(method, path, body, then = () => {}) {
    try {
      const response = await fetch(this.#address + path, {
        method,
        headers: { ...this.#options.headers(), ...(body && { "Content-Type": "application/json" }) },
        body: body && JSON.stringify(body),
      });
      this.#status.textContent = response.ok ? "" : (await response.json()).detail;
      if (response.ok) then();
    } catch {
      this.#status.textContent = words.unreachable;
    }
    await this.#look();
  }

  async #look() {
    clearTimeout(this.#timer);
    try {
      const response = await fetch(this.#address, { headers: this.#options.headers() });
      if (response.ok) this.#take((await response.json()).exports);
      else this.#status.textContent = (await response.json()).detail;
    } catch {
      this.#status.textContent = words.unreachable;
    }
    if (this.#isClosed) return;
    const isBusy = this.exports.some(({ state }) => state === "approved" || state === "making");
    this.#timer = setTimeout(() => this.#look(), isBusy ? busyPause : idlePause);
  }

  #take(exports) {
    const news = JSON.stringify(exports) !== JSON.stringify(this.exports);
    const states = (list) => list.map(({ id, state }) => `${id} ${state}`).join();
    const isChange = states(exports) !== states(this.exports);
    this.exports = exports;
    if (news) this.#render(isChange);
    if (isChange) this.dispatchEvent(new Event("change"));
  }

  /** Rows stay where only their progress moves, so that the focus is not lost. */
  #render(isChange) {
    if (!isChange) {
      for (const { id, progress } of this.exports) {
        const bar = this.#list.querySelector(`[data-export="${CSS.escape(id)}"] progress`);
        if (bar && progress) bar.value = progress.fraction;
      }
      return;
    }
    const rows = this.exports.map((each) => this.#row(each));
    this.#list.replaceChildren(...(rows.length > 0 ? rows : [element("li", words.none)]));
  }

  #row(each) {
    const row = element("li");
    row.dataset.export = each.id;
    row.dataset.state = each.state;
    const time = new Date(each.requested.time).toLocaleString();
    row.append(
      element("strong", words.asked(each.requested.actor.name, time)), element("span", words.states[each.state] ?? each.state),
      element("q", each.requested.reason));
    if (each.detail) row.append(element("p", each.detail));
    for (const note of each.package?.notes ?? []) row.append(element("small", note));
    if (each.state === "making") {
      const bar = element("progress");
      bar.value = each.progress?.fraction ?? 0;
      bar.setAttribute("aria-label", words.steps[each.progress?.step] ?? "");
      row.append(bar);
    }
    row.append(...this.#actions(each));
    return row;
  }

  #actions(each) {
    const isOwn = each.requested.actor.id === this.#options.self();
    const path = `/${encodeURIComponent(each.id)}`;
    const actions = [];
    if (each.state === "requested" && !isOwn && this.#options.mayApprove) {
      for (const [text, approve] of [[words.approve, true], [words.refuse, false]]) {
        actions.push(action(text, () => this.#do("POST", `${path}/decision`, { approve })));
      }
    }
    if (["requested", "approved", "making"].includes(each.state) && isOwn) {
      actions.push(action(words.withdraw, () => this.#do("DELETE", path)));
    }
    if (each.state === "ready") {
      const link = element("a", words.fetch(each.package.bytes));
      const { token } = this.#options;
      link.href = `${this.#address}${path}/package${token ? `?token=${encodeURIComponent(token)}` : ""}`;
      link.download = "";
      actions.push(link, action(words.remove, () => this.#do("DELETE", path)));
    }
    return actions;
  }
}

/**
 * Shows a button to those who may have packages made; their panel is in a dialog.
 * @param {HTMLButtonElement} button
 * @param {HTMLDialogElement} dialog with a `section`
 * @param {import("../shared/access.js").Access} access
 * @param {() => object | undefined} [redaction] what redacted copies are to hide
 * @returns {Promise<ExportPanel | undefined>}
 */
export async function offerExports(button, dialog, { incident, token }, redaction) {
  const fields = token ? authorization(token) : {};
  let me;
  try {
    const response = await fetch("/api/v1/me", { headers: fields });
    me = response.ok ? await response.json() : undefined;
  } catch {
    // The page itself says that the server cannot be reached.
  }
  if (!roles.has(me?.role)) return undefined;
  const headers = () => (token ? fields : { "X-CSRF-Token": me.csrfToken ?? "" });
  const root = dialog.querySelector("section");
  const panel = new ExportPanel(root, { incident, token, headers, self: () => me.id, mayApprove: true, redaction });
  dialog.setAttribute("aria-labelledby", root.getAttribute("aria-labelledby"));
  button.hidden = false;
  return panel;
}

/** An element with a text. */
function element(name, text = "") {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

/** A button that does something once at a time. */
function action(text, run) {
  const button = element("button", text);
  button.type = "button";
  button.addEventListener("click", async () => {
    button.disabled = true;
    await run();
    button.disabled = false;
  });
  return button;
}
