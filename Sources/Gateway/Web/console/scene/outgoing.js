/**
 * What goes out from the desk: one's voice, held or switched on, and one's screen or camera.
 * @module
 */

import { build, setSource, setText } from "../../shared/dom.js";
import { setTool, tool } from "./controls.js";

/** Milliseconds after which a press of the button counts as held: letting go ends the talk. */
const holdAfter = 350;

export class Outgoing {
  element;

  /** @type {import("../../shared/live.js").LivePeer | undefined} */
  #live;
  #talk;
  #share;
  /** What goes out as a picture, for the corner of the stage. */
  preview;

  #video = build("video", { "aria-label": "What you share", playsinline: true });
  #caption = build("figcaption");
  #choices;
  #words = build("small", { role: "status" });
  #pressedAt;
  #isHolding = false;

  constructor() {
    this.#video.muted = this.#video.autoplay = true;
    this.preview = build("figure", { class: "share-preview", hidden: true }, this.#video, this.#caption);
    this.#talk = tool({ symbol: "talk", words: "Talk", key: "T", more: { title: "Hold Space to talk, T to keep talking" } });
    this.#talk.addEventListener("pointerdown", (event) => event.button === 0 && this.#press());
    for (const type of ["pointerup", "pointerleave", "pointercancel"]) this.#talk.addEventListener(type, () => this.#release());
    // By keyboard the button has no length: it switches.
    this.#talk.addEventListener("click", (event) => event.detail === 0 && this.toggleTalk());
    this.#share = tool({ symbol: "share", words: "Share", key: "V", run: () => this.share(), more: { "aria-expanded": "false" } });
    this.#choices = build(
      "div", { class: "share-choices", role: "group", "aria-label": "What to share", hidden: true },
      tool({ symbol: "share", words: "Screen", run: () => this.show("screen") }), tool({ symbol: "camera", words: "Camera", run: () => this.show("camera") }));
    this.element = build("div", { class: "outgoing" }, this.#talk, build("div", { class: "share" }, this.#share, this.#choices), this.#words);
    document.addEventListener("keyup", ({ key }) => key === " " && this.#letGo());
    for (const type of ["blur", "pagehide"]) addEventListener(type, () => this.#letGo());
  }

  /** @param {import("../../shared/live.js").LivePeer | undefined} live that sends; none and nothing can go out */
  open(live) {
    this.#live = live;
    this.render();
  }

  close() {
    this.#isHolding = false;
    this.#pressedAt = undefined;
    this.#live = undefined;
    setSource(this.#video, null);
    setText(this.#words, "");
    this.#unfold(false);
    this.render();
  }

  // MARK: Voice

  toggleTalk() {
    return this.#speak(!this.#live?.isTalking);
  }

  /** Space goes down; it comes up by itself. */
  hold() {
    if (this.#isHolding || this.#live?.isTalking) return;
    this.#isHolding = true;
    this.#speak(true);
  }

  #letGo() {
    if (!this.#isHolding) return;
    this.#isHolding = false;
    this.#speak(false);
  }

  #press() {
    this.#pressedAt = performance.now();
    this.wasTalking = this.#live?.isTalking ?? false;
    this.#speak(true);
  }

  #release() {
    if (this.#pressedAt === undefined) return;
    const isHeld = performance.now() - this.#pressedAt > holdAfter;
    this.#pressedAt = undefined;
    if (isHeld || this.wasTalking) this.#speak(false);
  }

  async #speak(on) {
    if (!this.#live || this.#live.isTalking === on) return;
    try {
      setText(this.#words, "");
      await this.#live.talk(on);
    } catch (error) {
      setText(this.#words, refusal(error, "microphone"));
    }
    this.render();
  }

  // MARK: Picture

  /** Offers what can be shared, or ends what is. */
  share() {
    if (!this.#live) return;
    if (this.#live.own.picture) this.show(undefined);
    else this.#unfold(this.#choices.hidden);
  }

  #unfold(isOpen) {
    this.#choices.hidden = !isOpen;
    this.#share.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.#choices.querySelector("button").focus();
  }

  /** @param {"screen" | "camera" | undefined} what */
  async show(what) {
    const hadFocus = this.#choices.contains(document.activeElement);
    this.#unfold(false);
    if (hadFocus) this.#share.focus();
    try {
      setText(this.#words, "");
      await this.#live?.show(what);
    } catch (error) {
      setText(this.#words, refusal(error, what === "screen" ? "screen" : "camera"));
    }
    this.render();
  }

  // MARK: Showing

  /** What goes out, in words. @returns {string} */
  get sharing() {
    const kind = this.#live?.own.picture?.getSettings().displaySurface ? "screen" : "camera";
    return this.#live?.own.picture ? kind : "";
  }

  render() {
    const { isTalking = false, own = {} } = this.#live ?? {};
    const disabled = !this.#live;
    setTool(this.#talk, { disabled, isOn: isTalking, words: isTalking ? "Talking" : "Talk" });
    setTool(this.#share, { disabled, isOn: own.picture !== undefined, words: own.picture ? "Sharing" : "Share" });
    this.preview.hidden = !own.picture;
    setText(this.#caption, own.picture ? `Everybody sees your ${this.sharing}` : "");
    const shown = this.#video.srcObject?.getVideoTracks()[0];
    if (shown !== own.picture) setSource(this.#video, own.picture ? new MediaStream([own.picture]) : null);
  }
}

function refusal(error, device) {
  switch (error.name) {
    case "NotAllowedError": return device === "screen" ? "No screen was chosen" : `The browser does not allow the ${device}`;
    case "NotFoundError": return `No ${device} was found`;
    case "NotReadableError": return `Another program uses the ${device}`;
    default: return `The ${device} could not be opened`;
  }
}
