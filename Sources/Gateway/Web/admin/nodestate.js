/**
 * How the node is, asked again and again; the parts of the page listen.
 * @module
 */

/** Milliseconds between two looks. */
const interval = 5000;

/** Dispatches `news` after each look, whether the node answered or not. */
export class NodeState extends EventTarget {
  #shell;
  /** The last report; undefined before the first. */
  report;
  /** Whether the last look was answered. */
  isFresh = false;

  /** @param {import("../shared/shell.js").Shell} shell */
  constructor(shell) {
    super();
    this.#shell = shell;
    shell.session.addEventListener("unlocked", () => this.#look());
  }

  start() {
    this.#look();
    setInterval(() => document.visibilityState === "visible" && this.#look(), interval);
  }

  async #look() {
    try {
      this.report = await this.#shell.session.get("/api/v1/health");
      this.isFresh = true;
      this.#shell.state("");
    } catch (error) {
      this.isFresh = false;
      this.#shell.state(error.status === 423 ? "Locked" : "The node does not answer. Figures may be old.");
    }
    this.dispatchEvent(new Event("news"));
  }

  /** How many alarms there are, and how bad the worst is; advice is not counted. */
  get urgency() {
    const alarms = (this.report?.alarms ?? []).filter(({ level }) => level !== "advice");
    const number = alarms.length;
    const level = alarms.some(({ level }) => level === "urgent") ? "urgent" : number > 0 ? "attention" : undefined;
    return { number, level, words: number === 1 ? "alarm" : "alarms" };
  }
}
