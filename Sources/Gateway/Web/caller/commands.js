/**
 * What staff asks of the caller's page: it is carried out here, and answered.
 * @module
 */

import { cameras } from "./devices.js";
import { photoName, sendFile } from "./files.js";
import { recall, remember } from "./memory.js";
import { writeJPEG } from "./photos.js";
import { silence } from "./silence.js";

/** A picture's longer side, pixels; more than a decision needs. */
const maximumPhoto = 1920;
const photoQuality = 0.9;

/**
 * @typedef {"shown" | "done" | "refused" | "unsupported" | "failed"} Status
 *
 * @typedef {object} CommandHost what commands act on
 * @property {() => import("./call.js").Call | undefined} call
 * @property {() => Promise<Status>} locate
 * @property {import("./cards.js").Cards} cards
 * @property {() => Promise<void>} stop
 * @property {HTMLVideoElement} preview
 */

/** Carries out each command once, also over reloads. */
export class Commands {
  #metadata;
  #access;
  #caller;
  #host;
  #handled;

  /**
   * @param {import("../shared/metadata.js").MetadataChannel} metadata
   * @param {import("../shared/access.js").Access} access
   * @param {() => string} caller who we are in the journal
   * @param {CommandHost} host
   */
  constructor(metadata, access, caller, host) {
    this.#metadata = metadata;
    this.#access = access;
    this.#caller = caller;
    this.#host = host;
    // Without storage a reload forgets what was done: commands from before it count as old.
    this.#handled = Number(recall(access.token, "handled")) || 0;
    metadata.on("command", (event) => this.#take(event));
  }

  async #take({ number, payload }) {
    if (payload.caller !== this.#caller()) return;
    // What was asked before anybody opened this page is of no use now; a text that was to be shown still is.
    const isOld = number <= this.#handled || (this.#handled === 0 && number <= this.#metadata.start);
    if (isOld) {
      if (payload.command === "guidance") this.#host.cards.show(payload.argument ?? "");
      return;
    }
    this.#handled = number;
    remember(this.#access.token, "handled", String(number));
    const { status, detail } = await this.#carryOut(payload.command, payload.argument ?? "");
    const answer = { caller: this.#caller(), command: number, status, ...(detail && { detail: detail.slice(0, 500) }) };
    await this.#metadata.send("command.result", answer).catch((error) => {
      console.warn("sightline: an answer was not taken:", error.message);
    });
    if (payload.command === "stop") await this.#host.stop();
  }

  /** @returns {Promise<{status: Status, detail?: string}>} */
  async #carryOut(command, argument) {
    const action = this.#actions[command];
    if (!action) return { status: "unsupported" };
    try {
      return await action(argument);
    } catch (error) {
      return { status: error.obstacle === "refused" ? "refused" : "failed", detail: String(error.message || error.name) };
    }
  }

  #actions = {
    guidance: async (text) => {
      this.#host.cards.show(text);
      return shown();
    },
    showFile: async (file) => {
      await this.#host.cards.showFile(file);
      return shown();
    },
    switchCamera: () => this.#withCall(async (call) => {
      if (!call.camera || (await cameras()).length < 2) return { status: "unsupported", detail: "There is no other camera." };
      await call.flip();
      return { status: "done" };
    }),
    torch: (argument) => this.#withCall(async (call) => {
      if (silence.isOn) return { status: "refused", detail: "The page is dark: a light would give the caller away." };
      if (!call.hasTorch) return { status: "unsupported", detail: "This camera has no light that a page may switch." };
      await call.light(argument !== "false");
      return { status: "done" };
    }),
    mute: (argument) => this.#withCall(async (call) => {
      if (!call.microphone) return { status: "unsupported", detail: "There is no microphone." };
      call.mute(argument !== "false");
      return { status: "done" };
    }),
    quality: (argument) => this.#withCall(async (call) => {
      if (!call.camera) return { status: "unsupported", detail: "There is no picture." };
      const isKnown = await call.setQuality(argument);
      return isKnown ? { status: "done" } : { status: "unsupported", detail: "Ask for low, medium or high." };
    }),
    shareScreen: () => this.#withCall(async (call) => {
      if (!call.canShowScreen) return { status: "unsupported", detail: "This browser cannot show its screen to others." };
      if (silence.isOn) return { status: "refused", detail: "The page is dark: the browser would ask on the screen." };
      if (!(await this.#host.cards.askScreen())) return { status: "refused", detail: "The caller did not want to." };
      await call.showScreen();
      return { status: "done" };
    }),
    requestLocation: async () => ({ status: await this.#host.locate() }),
    stillPhoto: () => this.#withCall(async () => ({
      status: "done", detail: await sendFile(this.#access, await this.#photo(), photoName()),
    })),
    stop: async () => ({ status: "done" }),
  };

  async #withCall(action) {
    const call = this.#host.call();
    return call ? action(call) : { status: "failed", detail: "The video has not been started." };
  }

  /** The picture as it is now. */
  async #photo() {
    const { videoWidth, videoHeight } = this.#host.preview;
    if (!videoWidth) throw new Error("There is no picture to take.");
    return writeJPEG(this.#host.preview, videoWidth, videoHeight, maximumPhoto, photoQuality);
  }
}

/** On a dark page nothing is shown before it comes back. */
function shown() {
  return silence.isOn ? { status: "done", detail: "The page is dark. It is shown when the caller comes back." } : { status: "shown" };
}
