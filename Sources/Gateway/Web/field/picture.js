/**
 * The live picture: blurred until somebody chooses to look, with the viewer's name over it, and its state in words.
 * @module
 */

import { build, element, setSource, setState, setText } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { qualityWords, reductionWords } from "../shared/quality.js";
import { rate } from "../shared/times.js";
import { watermark } from "../shared/watermark.js";
import { picture as words } from "./words.js";

/** What a look of the page needs. */
export class Picture {
  /** Whether the picture is clear. */
  isRevealed = false;

  #live;
  #events;
  #metadata;
  #toast;
  #mark;
  #stage = element("stage");
  #video = element("picture");
  #voices = element("voices");
  #wantsSound = true;

  /**
   * @param {{live: import("../shared/live.js").LivePeer, events: import("../shared/events.js").IncidentEvents,
   *   metadata: import("../shared/metadata.js").MetadataChannel, name: string,
   *   toast: import("../shared/shell.js").Shell["toast"]}} parts
   */
  constructor({ live, events, metadata, name, toast }) {
    this.#live = live;
    this.#events = events;
    this.#metadata = metadata;
    this.#toast = toast;
    this.#mark = watermark(this.#stage, () => name);
    element("reveal").addEventListener("click", () => this.reveal(!this.isRevealed));
    element("sound").addEventListener("click", () => this.sound(!this.isHeard));
    element("camera").addEventListener("click", () => this.share(!live.own.picture));
    element("other").addEventListener("click", () => this.swap());
    fill(element("sound"), "soundOff", "Sound");
    fill(element("camera"), "camera", "My camera");
    this.#renderReveal();
    live.addEventListener("change", () => this.render());
    events.addEventListener("change", () => this.render());
  }

  get watermark() {
    return this.#mark.text();
  }

  get isHeard() {
    return !this.#video.muted;
  }

  /** Makes the picture clear, or blurs it; the journal says so. @param {boolean} isOn */
  reveal(isOn) {
    this.isRevealed = isOn;
    this.#renderReveal();
    this.#metadata.send("media.revealed", { on: isOn }).catch((error) => this.#toast(error.message, { isProblem: true }));
  }

  /** Picture and voices are heard, if the browser lets them. @param {boolean} isOn */
  async sound(isOn) {
    this.#wantsSound = isOn;
    this.#video.muted = this.#voices.muted = !isOn;
    try {
      await Promise.all([this.#video.play(), this.#voices.srcObject && this.#voices.play()]);
    } catch (error) {
      // The browser wants a tap first; the picture goes on without sound.
      if (error.name === "NotAllowedError" && isOn) {
        this.#video.muted = true;
        this.#video.play().catch(() => {});
      }
    }
    this.render();
  }

  /** Sends one's own camera to the incident, or no longer. @param {boolean} isOn */
  async share(isOn) {
    try {
      await this.#live.show(isOn ? "camera" : undefined);
    } catch {
      this.#toast(words.noPermission, { isProblem: true });
    }
    this.render();
  }

  /** The small picture becomes the large one, and the other way round. */
  async swap() {
    const [large, small] = this.#live.slots;
    const peers = [large, small].map((slot) => this.#live.whoIsOn(slot).peer?.id);
    try {
      await this.#live.place(large, peers[1]);
      await this.#live.place(small, peers[0]);
    } catch (error) {
      this.#toast(error.message, { isProblem: true });
    }
  }

  /** How the picture stands. @returns {{kind: "waiting" | "live" | "stale", text: string}} */
  get state() {
    const seconds = (performance.now() - (this.#live.since ?? performance.now())) / 1000;
    switch (this.#live.state) {
      case "idle":
      case "connecting": return { kind: "waiting", text: words.connecting(seconds) };
      case "reconnecting": return { kind: "stale", text: words.reconnecting(seconds) };
      case "failed": return { kind: "waiting", text: this.#live.error?.message ?? "" };
      case "closed": return { kind: "waiting", text: "" };
      case "connected": return this.#received();
    }
  }

  #received() {
    const [slot] = this.#live.slots;
    if (slot.state === "live") return { kind: "live", text: words.live(this.#live.whoIsOn(slot).peer?.name) };
    if (slot.state === "soundOnly") return { kind: "live", text: words.soundOnly };
    if (this.#events.callers.some((peer) => peer.state === "interrupted")) return { kind: "stale", text: words.callerReconnecting };
    if (slot.state === "still") return { kind: "stale", text: words.still(slot.secondsWithoutFrame) };
    return { kind: "waiting", text: this.#events.callers.length > 0 || !this.#events.isConnected ? words.waiting : words.nobody };
  }

  render() {
    const [slot, second] = this.#live.slots;
    const state = this.state;
    const isSeen = state.kind === "live" && slot.state === "live";
    setState(this.#stage, "data-picture", state.kind);
    setText(element("cover"), isSeen ? "" : state.text);
    element("reveal").hidden = !isSeen && slot.state !== "still";
    const { video, roundTripMilliseconds } = slot.figures;
    const figures = isSeen && video?.height ? [`${video.height}p`, video.bitsPerSecond > 0 && rate(video.bitsPerSecond), roundTripMilliseconds && `${roundTripMilliseconds} ms`] : [];
    const quality = isSeen ? qualityWords(slot.figures, slot.view) : state.kind === "live" ? reductionWords(slot.view) : "";
    setState(element("picture-state"), "data-weak", quality !== "");
    setText(element("picture-state"), [state.text, quality || figures.filter(Boolean).join(", ")].filter(Boolean).join(" · "));
    this.#show(this.#video, slot.stream);
    this.#show(this.#voices, this.#live.voices);
    this.#renderOther(second);
    this.#renderOwn();
    fill(element("sound"), this.isHeard ? "sound" : "soundOff", this.isHeard ? "Sound on" : "Sound off");
    element("sound").setAttribute("aria-pressed", String(this.isHeard));
  }

  /** New media starts with its sound as far as it is wanted. */
  #show(media, stream) {
    if (media.srcObject === stream) return;
    setSource(media, stream);
    if (this.#wantsSound) this.sound(true);
  }

  #renderOther(slot) {
    const { peer } = this.#live.whoIsOn(slot);
    const isThere = slot.state === "live";
    element("other").hidden = !isThere;
    setSource(element("other-picture"), isThere ? slot.stream : null);
    setText(element("other").querySelector("span"), `Show ${peer?.name ?? "the other picture"}`);
  }

  #renderOwn() {
    const track = this.#live.own.picture;
    const own = element("own-picture");
    own.hidden = !track;
    if (own.srcObject?.getVideoTracks()[0] !== track) own.srcObject = track ? new MediaStream([track]) : null;
    element("camera").setAttribute("aria-pressed", String(Boolean(track)));
    fill(element("camera"), "camera", track ? "Stop camera" : "My camera");
  }

  #renderReveal() {
    const button = element("reveal");
    this.#stage.toggleAttribute("data-hidden", !this.isRevealed);
    fill(button, this.isRevealed ? "eyeOff" : "eye", this.isRevealed ? words.hide : words.reveal);
  }
}

/** Puts an icon and words on a button, when they are new. */
function fill(button, symbol, text) {
  if (button.dataset.symbol === symbol && button.textContent === text) return;
  button.dataset.symbol = symbol;
  button.replaceChildren(icon(symbol), build("span", {}, text));
}
