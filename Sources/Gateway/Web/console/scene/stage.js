/**
 * The large picture: whose it is, where it stands, how fresh it is, and how it is looked at.
 * @module
 */

import { LookBack } from "../../replay/lookback.js";
import { build, setState, setText } from "../../shared/dom.js";
import { reductionWords } from "../../shared/quality.js";
import { setTool, tool } from "./controls.js";
import { Picture } from "./picture.js";
import { looks as words, picture as pictureWords } from "./words.js";

/** Milliseconds of delay from which a picture counts as late. */
const lateAfter = 800;

/** Dispatches `reveal` and `sound` when the person asks for them, `change` when a recording is looked at. */
export class Stage extends EventTarget {
  element;
  controls;
  picture = new Picture("Picture of the scene");
  /** @type {LookBack | undefined} */
  lookBack;
  /** Whether the browser plays no sound before somebody has clicked. */
  isBlocked = false;

  #looks;
  #label = build("p", { class: "stage-label" });
  #fresh = build("p", { class: "stage-fresh figures" });
  #cover = build("p", { class: "stage-cover", role: "status" });
  #problem = build("p", { class: "stage-problem", role: "status" });
  #buttons;
  #voices = build("audio", {});
  #shownOf;

  /** @param {import("./looks.js").Looks} looks */
  constructor(looks) {
    super();
    this.#looks = looks;
    this.#voices.autoplay = true;
    this.element = build(
      "div", { class: "stage", role: "group", "aria-label": "Large picture" },
      this.picture.element, build("div", { class: "stage-top" }, this.#label, this.#fresh), this.#cover, this.#problem, this.#voices);
    this.#buttons = {
      reveal: tool({ symbol: "eye", words: "Reveal", key: "R", run: () => this.#ask("reveal"), more: { class: "tool primary" } }),
      monochrome: tool({ symbol: "theme", words: "Mono", key: "M", run: () => looks.toggle("isMonochrome") }),
      stills: tool({ symbol: "still", words: "Stills", key: "S", run: () => looks.toggle("isStills") }),
      sound: tool({ symbol: "sound", words: "Sound", key: "A", run: () => this.toggleSound() }),
      back: tool({ symbol: "back", words: "Back 30 s", key: "←", run: () => this.back(), more: { "aria-keyshortcuts": "ArrowLeft" } }),
      live: tool({ symbol: "play", words: "Live", key: "L", run: () => this.lookBack?.live(), more: { hidden: true } }),
      full: tool({ symbol: "fullscreen", words: "Full", key: "F", run: () => this.toggleFull() }),
    };
    this.controls = build("div", { class: "tools", role: "group", "aria-label": "Look" }, ...Object.values(this.#buttons));
  }

  #ask(type) {
    this.dispatchEvent(new Event(type));
  }

  /** @param {{incident: string, token: string}} access of the incident that is looked at */
  open(access) {
    const lookBack = new LookBack(access, this.picture.element);
    lookBack.addEventListener("change", () => {
      if (this.lookBack !== lookBack) return;
      this.picture.forget();
      this.#ask("change");
    });
    lookBack.addEventListener("tick", () => this.lookBack === lookBack && this.#ask("change"));
    this.lookBack = lookBack;
  }

  close() {
    const { lookBack } = this;
    this.lookBack = undefined;
    lookBack?.live();
    this.picture.show(null);
    this.picture.setMode("hidden");
    this.#voices.srcObject = null;
    this.#shownOf = undefined;
    if (document.fullscreenElement === this.element) document.exitFullscreen();
  }

  // MARK: What the person does

  toggleFull() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.element.requestFullscreen?.().catch(() => {});
  }

  /** A click is what a browser waits for that has refused the sound. */
  toggleSound() {
    if (this.isBlocked && this.#looks.isSoundOn) {
      this.isBlocked = false;
      this.#ask("change");
      this.#play();
    } else {
      this.isBlocked = false;
      this.#looks.toggle("isSoundOn");
      this.#play();
    }
  }

  back() {
    this.lookBack?.back({ isMuted: !this.#hasSound, main: this.place ?? 0 });
  }

  /** Which of the callers the large picture's is, for a look back. */
  place = 0;

  get #hasSound() {
    return this.#looks.isSoundOn && !this.isBlocked;
  }

  async #play() {
    try {
      await Promise.all([this.picture.video, this.#voices].filter((media) => media.srcObject).map((media) => media.play()));
    } catch (error) {
      if (error.name !== "NotAllowedError" || this.isBlocked) return;
      this.isBlocked = true;
      this.#ask("change");
      this.picture.video.play().catch(() => {});
    }
  }

  // MARK: Showing

  /**
   * @param {object} view
   * @param {import("./state.js").PictureState} view.state
   * @param {import("../../shared/live.js").LivePeer} [view.live]
   * @param {string} [view.actor] whose picture it is
   * @param {string} view.label their name and part
   * @param {boolean} view.isClear
   * @param {boolean} view.mayReveal
   * @param {number} [view.delay] milliseconds from there to here
   */
  render(view) {
    const { state, live, actor, isClear } = view;
    const isBack = this.lookBack?.isActive ?? false;
    if (this.#shownOf !== actor) {
      // Somebody else's picture: nothing of the former's is left to be seen.
      this.#shownOf = actor;
      this.picture.forget();
    }
    this.picture.setMode(!isClear ? "hidden" : this.#looks.isStills ? "stills" : "moving");
    this.#feed(live, isBack);
    setState(this.element, "data-picture", state.kind);
    setState(this.element, "data-monochrome", this.#looks.isMonochrome);
    setState(this.element, "data-back", isBack);
    setText(this.#label, [this.#prefix(state, live, isBack), view.label].filter(Boolean).join(" · "));
    setText(this.#cover, this.#coverWords(view, isBack));
    setText(this.#problem, this.lookBack?.problem || (isBack || state.kind !== "live" ? "" : reductionWords(live?.slots[0].view)));
    this.#renderFresh(view, isBack);
    this.#renderButtons(view, isBack);
  }

  #prefix({ kind }, live, isBack) {
    if (isBack) return "Recording";
    if (kind !== "live") return "";
    return live?.slots[0].state === "live" ? "Live" : "Sound";
  }

  #feed(live, isBack) {
    const { video } = this.picture;
    const isMuted = !this.#hasSound;
    video.muted = isMuted || isBack;
    this.#voices.muted = isMuted;
    if (isBack) this.lookBack.mute(isMuted);
    const isNew = live && (video.srcObject !== live.slots[0].stream || this.#voices.srcObject !== live.voices);
    this.picture.show(live?.slots[0].stream ?? null);
    if (this.#voices.srcObject !== (live?.voices ?? null)) this.#voices.srcObject = live?.voices ?? null;
    if (isNew) this.#play();
  }

  #coverWords({ state, live, isClear, mayReveal }, isBack) {
    const hidden = isClear ? "" : mayReveal ? pictureWords.hidden(true) : "Picture hidden";
    if (isBack) return this.lookBack.cover(hidden);
    if (state.kind !== "live") return state.text;
    return live?.slots[0].state === "live" ? hidden : state.text;
  }

  #renderFresh({ state, live, delay }, isBack) {
    const slot = live?.slots[0];
    const parts = [];
    const age = slot?.secondsWithoutFrame;
    if (isBack) parts.push(words.behind(this.lookBack.behind));
    else if (this.picture.mode === "stills" && this.picture.stillAge !== undefined) parts.push(words.stillAge(this.picture.stillAge));
    else if (age >= 1 && state.kind !== "ended") parts.push(words.frameAge(age));
    if (!isBack && state.kind === "live" && delay !== undefined) parts.push(`delay ${delay} ms`);
    setText(this.#fresh, parts.join(" · "));
    setState(this.#fresh, "data-late", isBack || age > 2 || delay > lateAfter);
  }

  #renderButtons({ live, actor, isClear, mayReveal }, isBack) {
    const { reveal, monochrome, stills, sound, back, live: toLive } = this.#buttons;
    setTool(reveal, { words: words.reveal[Number(isClear)], disabled: !mayReveal || actor === undefined });
    reveal.classList.toggle("primary", !isClear && !reveal.disabled);
    setTool(monochrome, { isOn: this.#looks.isMonochrome });
    setTool(stills, { isOn: this.#looks.isStills });
    const isWaiting = this.isBlocked && this.#looks.isSoundOn;
    setTool(sound, { words: isWaiting ? words.blocked : words.sound[Number(this.#looks.isSoundOn)] });
    sound.classList.toggle("primary", isWaiting);
    setTool(back, { disabled: !live });
    toLive.hidden = !isBack;
  }

  /** @returns {string} what is wrong with the picture, for tests */
  get problemText() {
    return this.#problem.textContent;
  }

  /** @returns {string} what stands over the picture, for tests */
  get coverText() {
    return this.#cover.textContent;
  }
}
