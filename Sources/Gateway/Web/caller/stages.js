/**
 * How far the caller's session has come, as far as only the page knows; the service itself reports opened, connecting and
 * live.
 * @module
 */

/** Milliseconds after Stop until the page says itself that it has ended; the service knows by the session's end. */
const endPause = 1500;
/** Stages before there is a connection: steps of the set-up may be reported. */
const early = new Set([undefined, "requested", "linkSent", "opened", "locationOK", "cameraOK", "failed", "declined"]);

/** Reports stages; what is over already, or would lead back, is left out. */
export class CallerReport {
  /** The stage that the journal has. @type {string | undefined} */
  stage;

  #metadata;
  #caller;
  /** What was reported before we knew who we are. */
  #waiting = [];

  /**
   * @param {import("../shared/metadata.js").MetadataChannel} metadata
   * @param {() => string} caller who we are in the journal; empty while that is not known
   */
  constructor(metadata, caller) {
    this.#metadata = metadata;
    this.#caller = caller;
    metadata.on("caller.stage", ({ payload }) => {
      if (payload.caller === caller()) this.stage = payload.stage;
    });
    metadata.addEventListener("subscribed", ({ detail: snapshot }) => {
      this.stage ??= snapshot?.callers?.find((each) => each.id === caller())?.stage;
      for (const report of this.#waiting.splice(0)) this.#send(...report);
    });
  }

  /** A step of the set-up is done. @param {"locationOK" | "cameraOK"} stage */
  tell(stage) {
    if (early.has(this.stage) && this.stage !== stage) this.#send(stage);
  }

  /**
   * Something stands in the way.
   * @param {"permissionDenied" | "browserUnsupported" | "connectionFailed"} reason
   * @param {string} detail
   */
  fail(reason, detail) {
    this.#send("failed", { reason, detail });
  }

  /** The page was hidden or came back. */
  see(isVisible, isConnected) {
    if (!isVisible && this.stage === "live") this.#send("paused", { detail: "The page is in the background." });
    if (isVisible && isConnected && this.stage === "paused") this.#send("live");
  }

  /** The person pressed Stop. */
  end() {
    setTimeout(() => {
      if (this.stage !== "ended") this.#send("ended");
    }, endPause);
  }

  #send(stage, more = {}) {
    if (!this.#caller()) {
      this.#waiting.push([stage, more]);
      return;
    }
    this.#metadata.send("caller.stage", { caller: this.#caller(), stage, ...more }).catch((error) => {
      // It was so already, or the call is over.
      console.info(`sightline: stage ${stage} was not taken:`, error.message);
    });
  }
}
