/**
 * The way of a caller's link to the picture, in five steps that fill as they happen; one that fails says why and what is the
 * next best thing.
 * @module
 */

import { build, replaceWhenNew, setState, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { clock, secondsSince } from "../shared/times.js";
import { failures, stages as stageWords } from "./words.js";

const steps = [
  { name: "sent", words: "Sent", by: ["linkSent"] },
  { name: "opened", words: "Opened", by: ["opened"] },
  { name: "location", words: "Location", by: ["locationOK"] },
  { name: "camera", words: "Camera", by: ["cameraOK"] },
  { name: "live", words: "Live", by: ["live"] },
];
/** Stages at which every step up to the given one lies behind. */
const reach = { requested: 0, linkSent: 1, opened: 2, locationOK: 3, cameraOK: 4, connecting: 4, live: 5, paused: 5 };
/** Seconds after which a link that nobody opens, or a page on which nobody starts, needs something else. */
const slow = { linkSent: 30, requested: 30, opened: 40, locationOK: 30, cameraOK: 20, connecting: 15 };
/** Seconds that the steps stay after the picture has come. */
const farewell = 6;
const bad = new Set(["failed", "declined", "expired"]);

/** The strip. */
export class Stages {
  root = build("section", { class: "notice stages", "aria-label": "Caller's link", hidden: true });
  #desk;
  #shell;
  #panel;
  #current;
  #list = build("ol", { class: "steps" });
  #say = build("p", { class: "steps-say", role: "status" });
  #help = build("div", { class: "steps-help" });

  /** @param {import("./desk.js").Desk} desk @param {import("../shared/shell.js").Shell} shell @param {import("./linkpanel.js").LinkPanel} panel */
  constructor(desk, shell, panel) {
    [this.#desk, this.#shell, this.#panel] = [desk, shell, panel];
    this.root.append(this.#list, build("div", { class: "steps-next" }, this.#say, this.#help));
  }

  /** @returns {import("../shared/keys.js").Shortcut[]} */
  get shortcuts() {
    return [{ key: "y", words: "New link for the caller", when: () => this.#canInvite, action: () => this.#newLink() }];
  }

  open(current) {
    this.#current = current;
  }

  close() {
    this.#current = undefined;
  }

  get #canInvite() {
    return this.#current !== undefined && !this.#current.model.isClosed && this.#current.may("inviteCaller");
  }

  /** Whoever came last and is still on the way; a picture that has just come stays for a moment. */
  get #caller() {
    const all = [...this.#current.model.callers.values()];
    return all.findLast((caller) => !this.#isDone(caller, all));
  }

  #isDone({ stage, stages }, all) {
    if (["live", "paused"].includes(stage)) return secondsSince(stages.at(-1)?.at ?? 0) > farewell;
    // What failed before somebody else came live is of no interest any more.
    return stage === "ended" || (bad.has(stage) && all.some((other) => other.stage === "live"));
  }

  render() {
    const { model } = this.#current;
    const caller = model.isClosed ? undefined : this.#caller;
    const isEmpty = model.isLoaded && !model.isClosed && ![...model.callers.values()].some(({ stage }) => ["live", "paused"].includes(stage)) && caller === undefined;
    setState(this.root, "hidden", caller === undefined && !isEmpty);
    setState(this.#list, "hidden", caller === undefined);
    if (caller) this.#show(caller);
    else if (isEmpty) {
      const ended = [...model.callers.values()].some(({ stage }) => stage === "ended");
      setText(this.#say, ended ? "The caller's video has ended." : "No link was sent yet.");
      this.#offer(this.#canInvite ? ["link"] : []);
    }
  }

  #show(caller) {
    const states = stepStates(caller, this.#current.model.links.get(caller.id)?.by);
    replaceWhenNew(this.#list, states, () => states.map(({ words, state, time }) => build(
      "li", { class: "step", dataset: { state, name: words } },
      build("span", { class: "step-bar" }),
      build("span", { class: "step-words" }, state === "done" ? icon("check") : state === "failed" ? icon("close") : "", words, build("span", { class: "unseen" }, `: ${spoken[state]}`)),
      build("span", { class: "step-time figures" }, time))));
    setText(this.#say, sentence(caller));
    this.#offer(this.#nextBest(caller));
  }

  /** The next best things, in this order. */
  #nextBest(caller) {
    const { stage, reason, stages, phone } = caller;
    const seconds = secondsSince(stages.at(-1)?.at ?? this.#current.model.openedAt);
    const isPage = ["opened", "locationOK", "cameraOK", "connecting", "failed"].includes(stage) && this.#isPresent(caller);
    const made = this.#shownLink(caller);
    const canShow = made !== undefined && this.#panel.link !== made.link;
    if (!bad.has(stage) && !(seconds > (slow[stage] ?? Infinity))) {
      return canShow && ["requested", "linkSent"].includes(stage) ? ["show"] : [];
    }
    const again = this.#canInvite ? [phone && this.#shell.service.sends.sms ? "again" : "link"] : [];
    if (reason === "permissionDenied") return [isPage && "explain", "text", isPage && "place", ...again].filter(Boolean);
    if (stage === "declined") return ["text", isPage && "place"].filter(Boolean);
    return [...again, canShow && "show", isPage && "text", isPage && "place"].filter(Boolean);
  }

  #shownLink({ id }) {
    return [...this.#current.links.values()].find(({ link }) => id === link);
  }

  #isPresent({ id }) {
    return this.#current.model.people.some((person) => person.id === id);
  }

  #offer(names) {
    const buttons = {
      again: ["Send a new link by SMS", "send", () => this.#newLink("sms")],
      link: ["New link: show QR", "link", () => this.#newLink("shown")],
      show: ["Show QR and link", "link", () => this.#panel.show(this.#shownLink(this.#caller))],
      explain: ["Tell them how to allow the camera", "guide", () => this.#explain()],
      text: ["Write to them", "chat", () => this.#desk.context.show("chat")],
      place: ["Ask for the location only", "locate", () => this.#command("requestLocation")],
    };
    replaceWhenNew(this.#help, names, () => names.map((name) => {
      const [words, symbol, run] = buttons[name];
      return build("button", { onclick: run }, icon(symbol), words);
    }));
  }

  // MARK: What is done

  async #newLink(way = "shown") {
    const { phone } = this.#current.model.headline ?? {};
    try {
      const made = await this.#current.makeLink({ role: "caller", name: phone ? `Caller ${phone.slice(-4)}` : "Caller", phone, send: way });
      if (way === "shown") this.#panel.show(made);
    } catch (error) {
      this.#shell.toast(error.message, { isProblem: true });
    }
  }

  #explain() {
    this.#command("guidance", "Tap the lock beside the address, allow camera and microphone, then load the page again.");
  }

  #command(command, argument) {
    this.#current.happen("command", { caller: this.#caller.id, command, ...(argument && { argument }) });
  }
}

const spoken = { done: "done", now: "happens now", next: "not yet", skipped: "left out", failed: "failed" };

/** @returns {{name: string, words: string, state: "done" | "now" | "next" | "skipped" | "failed", time: string}[]} */
function stepStates(caller, way) {
  const at = (names) => caller.stages.find(({ stage }) => names.includes(stage))?.at;
  const start = caller.stages[0]?.at;
  const reached = Math.max(0, ...caller.stages.map(({ stage }) => reach[stage] ?? 0));
  const isBad = bad.has(caller.stage);
  const done = steps.map(({ by }, index) => at(by) !== undefined || (index === 0 && reached > 0));
  const now = done.lastIndexOf(true) + 1;
  return steps.map(({ name, words, by }, index) => {
    const time = at(by) && start ? `${Math.round((Date.parse(at(by)) - Date.parse(start)) / 1000)} s` : "";
    if (done[index]) return { name, words: index === 0 && way === "shown" ? "Shown" : words, state: "done", time };
    if (index < now && index < reached) return { name, words, state: "skipped", time: "not given" };
    if (index !== now && !(index === steps.findIndex((_, each) => !done[each] && each >= reached))) return { name, words, state: "next", time: "" };
    if (isBad) return { name, words, state: "failed", time: failures[caller.reason] ?? stageWords[caller.stage] };
    return { name, words, state: "now", time: clock(secondsSince(caller.stages.at(-1)?.at ?? new Date().toISOString())) };
  });
}

function sentence({ stage, reason, detail, stages }) {
  const seconds = Math.floor(secondsSince(stages.at(-1)?.at ?? new Date().toISOString()));
  const isSlow = seconds > (slow[stage] ?? Infinity);
  switch (stage) {
    case "requested":
    case "linkSent": return isSlow ? "Nobody has opened the link yet. Ask whether it arrived." : "Waiting for the caller to open the link.";
    case "opened": return isSlow ? "The page is open, and nobody has pressed Start. Tell them to." : "The page is open. They have to press Start.";
    case "locationOK": return "They are asked for the camera.";
    case "cameraOK":
    case "connecting": return isSlow ? "The picture takes long. Voice and text go on." : "The picture is being connected.";
    case "live": return "The picture is here.";
    case "expired": return "The link is too old. They need a new one.";
    case "declined": return `They declined: ${failures[reason] ?? "no reason given"}. Go on by voice or text.`;
    case "failed": return `It did not work: ${failures[reason] ?? "unknown reason"}${detail ? ` (${detail})` : ""}.`;
    default: return "";
  }
}
