/**
 * What staff asks of the caller's page: it is carried out here, and answered.
 * @module
 */

import { authorization } from "../shared/access.js";
import { cameras } from "./devices.js";

/** A picture's longer side, pixels; more than a decision needs. */
const maximumPhoto = 1920;
const photoQuality = 0.9;

/**
 * @typedef {"shown" | "done" | "refused" | "unsupported" | "failed"} Status
 *
 * @typedef {object} CommandHost what commands act on
 * @property {() => import("./call.js").Call | undefined} call
 * @property {() => Promise<Status>} locate
 * @property {(text: string) => void} guide shows a text until the next one
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
  #storageName;

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
    this.#storageName = `sightline.handled.${access.token.slice(-32)}`;
    this.#handled = stored(this.#storageName);
    metadata.on("command", (event) => this.#take(event));
  }

  async #take({ number, payload }) {
    if (payload.caller !== this.#caller()) return;
    // What was asked before anybody opened this page is of no use now; a text that was to be shown still is.
    const isOld = number <= this.#handled || (this.#handled === 0 && number <= this.#metadata.start);
    if (isOld) {
      if (payload.command === "guidance") this.#host.guide(payload.argument ?? "");
      return;
    }
    this.#handled = number;
    store(this.#storageName, number);
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
      this.#host.guide(text);
      return { status: "shown" };
    },
    switchCamera: () => this.#withCall(async (call) => {
      if (!call.camera || (await cameras()).length < 2) return { status: "unsupported", detail: "There is no other camera." };
      await call.flip();
      return { status: "done" };
    }),
    torch: (argument) => this.#withCall(async (call) => {
      if (!call.hasTorch) return { status: "unsupported", detail: "This camera has no light that a page may switch." };
      await call.light(argument !== "false");
      return { status: "done" };
    }),
    mute: (argument) => this.#withCall(async (call) => {
      if (!call.microphone) return { status: "unsupported", detail: "There is no microphone." };
      call.mute(argument !== "false");
      return { status: "done" };
    }),
    requestLocation: async () => ({ status: await this.#host.locate() }),
    stillPhoto: () => this.#withCall(async () => ({ status: "done", detail: await this.#upload(await this.#photo()) })),
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
    const scale = Math.min(1, maximumPhoto / Math.max(videoWidth, videoHeight));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(videoWidth * scale);
    canvas.height = Math.round(videoHeight * scale);
    canvas.getContext("2d").drawImage(this.#host.preview, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", photoQuality));
    if (!blob) throw new Error("The picture could not be written.");
    return blob;
  }

  /** @returns {Promise<string>} the file's identifier */
  async #upload(blob) {
    const name = `photo-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.jpg`;
    const query = new URLSearchParams({ name, purpose: "photo" });
    const response = await fetch(`/api/v1/incidents/${encodeURIComponent(this.#access.incident)}/files?${query}`, {
      method: "POST",
      headers: { ...authorization(this.#access.token), "Content-Type": blob.type },
      body: blob,
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(answer.detail ?? `The service answered with error ${response.status}.`);
    return answer.file;
  }
}

function stored(name) {
  try {
    return Number(sessionStorage.getItem(name)) || 0;
  } catch {
    return 0;
  }
}

function store(name, number) {
  try {
    sessionStorage.setItem(name, String(number));
  } catch {
    // Without storage a reload forgets what was done: commands from before it count as old.
  }
}
