/**
 * Whose screen a picture is seen on, faint and repeated over the picture: a photo of the screen names who took it.
 * @module
 */

import { timeOfDay } from "./times.js";

const namespace = "http://www.w3.org/2000/svg";
/** Milliseconds after which the time is written anew. */
const interval = 15_000;
const lineHeight = 20;

/**
 * Lays a name and the time over a picture.
 * @param {Element} stage with a position of its own
 * @param {() => string} name read whenever it is written
 * @returns {{text: () => string, write: () => void}}
 */
export function watermark(stage, name) {
  const lines = [text(0.5 * lineHeight), text(1.5 * lineHeight)];
  const pattern = make("pattern", { id: "watermark-tile", patternUnits: "userSpaceOnUse", patternTransform: "rotate(-24)" });
  pattern.append(...lines);
  const svg = make("svg", { class: "watermark", "aria-hidden": "true" });
  svg.append(pattern, make("rect", { width: "100%", height: "100%", fill: "url(#watermark-tile)" }));
  stage.append(svg);
  const write = () => {
    const parts = [name(), timeOfDay(new Date().toISOString()).slice(0, 5)];
    if (lines.every((line, index) => line.textContent === parts[index])) return;
    lines.forEach((line, index) => (line.textContent = parts[index]));
    pattern.setAttribute("width", String(48 + 9 * Math.max(...parts.map((part) => part.length))));
    pattern.setAttribute("height", String(4.5 * lineHeight));
  };
  write();
  setInterval(write, interval);
  return { text: () => lines.map((line) => line.textContent).join(" "), write };
}

function text(y) {
  return make("text", { x: "8", y: String(y + 8) });
}

function make(name, attributes) {
  const node = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
