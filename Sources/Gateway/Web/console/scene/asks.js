/**
 * What the caller's phone is asked to do, and what came of each.
 * @module
 */

import { build, setState, setText } from "../../shared/dom.js";
import { setTool, tool } from "./controls.js";
import { answerWords } from "./words.js";

/** Milliseconds that the second step of Stop waits. */
const confirmTime = 5000;
/** Milliseconds that an answer stays beside its button. */
const answerTime = 20_000;

/** What the answers' line calls each. */
const names = {
  switchCamera: "Flip", torch: "Torch", mute: "Mute", stillPhoto: "Photo", requestLocation: "Place", shareScreen: "Screen",
  quality: "Quality", stop: "Stop",
};

export class Asks {
  element;

  #buttons;
  #answers = {};
  #quality;
  #target;
  #context;
  #confirming;
  /** The button that asked for a command: its number tells. @type {Map<number, string>} */
  #asked = new Map();
  #times = new Map();

  constructor() {
    const ask = (name, symbol, words, key, more) => tool({ symbol, words, key, more, run: () => this[name]() });
    this.#buttons = {
      switchCamera: ask("flip", "flip", "Flip", "Shift+C"),
      torch: ask("torch", "torch", "Torch", "Shift+T"),
      mute: ask("mute", "micOff", "Mute", "Shift+M"),
      stillPhoto: ask("photo", "camera", "Photo", "Shift+P"),
      requestLocation: ask("locate", "locate", "Place", "Shift+L"),
      shareScreen: ask("screen", "share", "Screen", undefined),
      stop: ask("stop", "end", "Stop", undefined, { class: "tool danger" }),
    };
    this.#quality = build(
      "select", {
        "aria-label": "Quality of the caller's picture", title: "Quality of the caller's picture",
        onchange: () => this.#send("quality", this.#quality.value),
      },
      build("option", { value: "", disabled: true, selected: true }, "Quality"),
      ...Object.entries({ low: "Low", medium: "Medium", high: "High" }).map(([value, name]) => build("option", { value }, name)));
    const titles = {
      switchCamera: "The caller's phone takes the other camera", torch: "The light of the caller's phone", mute: "The caller's microphone",
      stillPhoto: "The caller's phone sends a sharp photo", requestLocation: "The caller's phone tells its place again",
      shareScreen: "The caller is asked to share their screen", stop: "Ends the caller's video",
    };
    for (const [name, title] of Object.entries(titles)) this.#buttons[name].title = title;
    const { stop, ...others } = this.#buttons;
    const answers = [...Object.keys(others), "quality", "stop"].map((name) => {
      this.#answers[name] = build("span", { class: "ask-answer", dataset: { command: name } });
      return this.#answers[name];
    });
    this.element = build(
      "div", { class: "asks", role: "group", "aria-label": "Caller's phone" },
      build("div", { class: "tools" }, ...Object.values(others), this.#quality, stop), build("p", { class: "ask-answers", role: "status" }, ...answers));
  }

  /** @param {{model: import("../../shared/incident.js").IncidentModel, channel: import("../../shared/metadata.js").MetadataChannel}} context */
  open(context) {
    this.#context = context;
  }

  close() {
    this.#context = undefined;
    this.#target = undefined;
    this.#asked.clear();
    this.#times.clear();
    this.#relent();
    this.#quality.value = "";
  }

  // MARK: Asking

  flip() {
    return this.#send("switchCamera");
  }

  torch() {
    return this.#send("torch", String(!this.#device.torch));
  }

  mute() {
    return this.#send("mute", String(!this.#device.muted));
  }

  photo() {
    return this.#send("stillPhoto");
  }

  locate() {
    return this.#send("requestLocation");
  }

  screen() {
    return this.#send("shareScreen");
  }

  /** The first time asks whether it is meant. */
  stop() {
    if (!this.#confirming) {
      this.#confirming = setTimeout(() => this.#relent(), confirmTime);
      setTool(this.#buttons.stop, { words: "Press again to stop" });
      return undefined;
    }
    this.#relent();
    return this.#send("stop");
  }

  #relent() {
    clearTimeout(this.#confirming);
    this.#confirming = undefined;
    setTool(this.#buttons.stop, { words: "Stop" });
  }

  get #device() {
    return this.#context?.model.callers.get(this.#target)?.device ?? {};
  }

  async #send(command, argument) {
    const { model, channel } = this.#context ?? {};
    if (!model?.callers.has(this.#target)) return;
    this.#times.set(command, performance.now());
    this.#say(command, answerWords({}));
    try {
      const number = await channel.send("command", { caller: this.#target, command, ...(argument !== undefined && { argument }) });
      this.#asked.set(number, command);
      this.render({ caller: this.#target });
    } catch (error) {
      this.#times.delete(command);
      this.#say(command, `refused: ${error.message}`, true);
    }
  }

  #say(command, words, isBad = false) {
    setText(this.#answers[command], words && `${names[command]}: ${words}`);
    setState(this.#answers[command], "data-bad", isBad);
  }

  // MARK: Showing

  /** @param {{caller: string | undefined}} view whom it is about; nobody, and nothing can be asked */
  render({ caller }) {
    if (caller !== this.#target) {
      this.#target = caller;
      this.#times.clear();
      for (const command of Object.keys(this.#answers)) this.#say(command, "");
      this.#relent();
    }
    const { torch, mute, ...others } = this.#buttons;
    const disabled = caller === undefined;
    for (const button of Object.values(others)) setTool(button, { disabled });
    this.#quality.disabled = disabled;
    setTool(torch, { disabled, isOn: this.#device.torch === true });
    setTool(mute, { disabled, isOn: this.#device.muted === true, words: this.#device.muted ? "Muted" : "Mute" });
    for (const [command, node] of Object.entries(this.#answers)) this.#renderAnswer(command, node);
  }

  #renderAnswer(command, node) {
    const last = this.#context?.model.commands.findLast((each) => each.caller === this.#target && each.command === command);
    const at = this.#times.get(command);
    // What somebody else or an earlier look asked for is in the timeline; here stands what was asked from here.
    if (!last || at === undefined || !this.#asked.has(last.number)) {
      if (at === undefined && !node.hasAttribute("data-bad")) this.#say(command, "");
      return;
    }
    const isBad = last.status !== undefined && !["done", "shown"].includes(last.status);
    this.#say(command, performance.now() - at > answerTime && last.status ? "" : answerWords(last), isBad);
  }
}
