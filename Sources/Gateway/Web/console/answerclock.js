/**
 * How long a call has waited, against the marks that the service is held to: 90 % within 15 s, 95 % within 20 s.
 * @module
 */

import { build, setState, setText } from "../shared/dom.js";

const marks = [15, 20];
const whole = marks.at(-1);
const namespace = "http://www.w3.org/2000/svg";
const radius = 7.5;

/** A small ring that fills within twenty seconds, with its words. */
export class AnswerClock {
  #arc;
  #words = build("span", { class: "ring-words" });

  constructor() {
    const round = { cx: 12, cy: 12, r: radius, pathLength: whole };
    this.#arc = shape("circle", { ...round, class: "arc", transform: "rotate(-90 12 12)" });
    const svg = shape("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: "ring" });
    svg.append(shape("circle", { ...round, class: "track" }), this.#arc, ...marks.map(mark));
    this.root = build("span", { class: "answer" }, this.#words);
    this.root.append(svg);
  }

  /** @param {number | undefined} seconds that it has waited; undefined once it was answered @param {boolean} isAgain it was answered once */
  show(seconds, isAgain = false) {
    setState(this.root, "hidden", seconds === undefined || isAgain);
    if (seconds === undefined) return;
    const filled = Math.min(whole, Math.max(0, seconds));
    this.#arc.setAttribute("stroke-dasharray", `${filled} ${whole}`);
    const passed = marks.findLast((mark) => seconds >= mark);
    setState(this.root, "data-passed", passed === undefined ? undefined : String(passed));
    setText(this.#words, passed === undefined ? "" : `over ${passed} s`);
  }
}

/** A line across the ring where a mark is. */
function mark(seconds) {
  const angle = (2 * Math.PI * seconds) / whole - Math.PI / 2;
  const at = (distance) => [12 + distance * Math.cos(angle), 12 + distance * Math.sin(angle)].map((value) => value.toFixed(2));
  const [from, to] = [at(radius + 2.2), at(radius + 4.4)];
  return shape("path", { d: `M${from.join(" ")}L${to.join(" ")}`, class: "ring-mark" });
}

function shape(name, attributes) {
  const node = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
