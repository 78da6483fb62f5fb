/**
 * What staff puts before the caller's eyes: a text, a picture or short film, and the question for the phone's screen.
 * While the page is dark all of it waits.
 * @module
 */

import { fetchFile } from "./files.js";
import { language } from "./language.js";
import { silence } from "./silence.js";

const element = (id) => document.getElementById(id);
/** Milliseconds of the buzz that says that there is something new. */
const buzz = 200;

/** Dispatches `change` when something comes or goes. */
export class Cards extends EventTarget {
  /** The text that is shown, or waits. */
  text = "";

  #access;
  /** The address of the file that is shown. */
  #address = "";
  /** @type {((isAllowed: boolean) => void) | undefined} */
  #decide;

  /** @param {import("../shared/access.js").Access} access */
  constructor(access) {
    super();
    this.#access = access;
    element("shown-close").addEventListener("click", () => this.closeFile());
    element("screen-yes").addEventListener("click", () => this.#decide?.(true));
    element("screen-no").addEventListener("click", () => this.#decide?.(false));
    silence.addEventListener("change", () => this.#onSilence());
    language.addEventListener("change", () => this.#write());
  }

  /** Shows a text until the next one; an empty one takes it away. @param {string} text */
  show(text) {
    const isNews = text !== "" && text !== this.text;
    this.text = text;
    if (isNews) this.#buzz();
    this.#changed();
  }

  /** Shows a picture or a film of the incident. @param {string} file its identifier; an empty one takes it away */
  async showFile(file) {
    this.closeFile();
    if (file === "") return;
    const blob = await fetchFile(this.#access, file);
    const media = blob.type.startsWith("video/") ? film() : picture();
    this.#address = URL.createObjectURL(blob);
    media.src = this.#address;
    try {
      await isReady(media);
    } catch (error) {
      this.closeFile();
      throw error;
    }
    element("shown-media").replaceChildren(media);
    element("shown").hidden = false;
    if (silence.isOn) media.pause?.();
    this.#write();
    this.#buzz();
    this.#changed();
  }

  closeFile() {
    element("shown").hidden = true;
    element("shown-media").replaceChildren();
    URL.revokeObjectURL(this.#address);
    this.#address = "";
    this.#changed();
  }

  /** Asks whether the phone's screen may be seen; a tap is needed for it in any case. @returns {Promise<boolean>} */
  askScreen() {
    this.#decide?.(false);
    return new Promise((resolve) => {
      element("screen-card").hidden = false;
      this.#write();
      this.#buzz();
      this.#decide = (isAllowed) => {
        this.#decide = undefined;
        element("screen-card").hidden = true;
        resolve(isAllowed);
        this.#changed();
      };
      this.#changed();
    });
  }

  /** Takes everything away. */
  clear() {
    this.#decide?.(false);
    this.closeFile();
    this.show("");
  }

  /** Where the cards stand in the view that is shown. @param {Element} place */
  moveTo(place) {
    if (element("cards").parentElement === place) return;
    place.append(element("cards"));
    // A film stops when its place changes.
    if (!silence.isOn) for (const media of element("shown-media").children) media.play?.().catch(() => {});
  }

  #onSilence() {
    for (const media of element("shown-media").children) {
      if (silence.isOn) media.pause?.();
      else media.play?.().catch(() => {});
    }
  }

  #write() {
    const { words } = language;
    element("guidance").hidden = this.text === "";
    if (element("guidance").textContent !== this.text) element("guidance").textContent = this.text;
    for (const media of element("shown-media").children) {
      media.setAttribute(media.localName === "img" ? "alt" : "aria-label", words.shownPicture);
    }
    element("screen-words").textContent = element("screen-card").hidden ? "" : words.askScreen;
  }

  #buzz() {
    // Browsers allow it only to pages that were touched.
    if (!silence.isOn && navigator.userActivation?.hasBeenActive) navigator.vibrate?.(buzz);
  }

  #changed() {
    this.#write();
    this.dispatchEvent(new Event("change"));
  }
}

function picture() {
  return document.createElement("img");
}

function film() {
  return Object.assign(document.createElement("video"), { controls: true, autoplay: true, muted: true, loop: true, playsInline: true });
}

/** @param {HTMLImageElement | HTMLVideoElement} media */
function isReady(media) {
  return new Promise((resolve, reject) => {
    media.addEventListener(media.localName === "img" ? "load" : "loadeddata", resolve, { once: true });
    media.addEventListener("error", () => reject(new Error("This phone cannot show the file.")), { once: true });
  });
}
