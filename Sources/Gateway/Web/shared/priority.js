/**
 * The mark of an incident's priority: letter, colour and shape say the same.
 * @module
 */

const namespace = "http://www.w3.org/2000/svg";
const shapes = {
  P1: ["rect", { x: 3, y: 3, width: 18, height: 18 }],
  P2: ["path", { d: "M12 3 22 21H2z" }],
  P3: ["circle", { cx: 12, cy: 12, r: 7.5 }],
  P4: ["circle", { cx: 12, cy: 12, r: 4 }],
};

/** What each means. */
export const priorities = { P1: "life at risk now", P2: "urgent", P3: "soon", P4: "can wait" };

/** @param {"P1" | "P2" | "P3" | "P4"} priority @returns {HTMLElement} */
export function priorityMark(priority) {
  const mark = document.createElement("span");
  mark.className = "priority";
  mark.dataset.priority = priority;
  mark.title = `${priority}, ${priorities[priority] ?? ""}`;
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const [name, attributes] = shapes[priority] ?? shapes.P4;
  const shape = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
  svg.append(shape);
  mark.append(svg, priority);
  return mark;
}
