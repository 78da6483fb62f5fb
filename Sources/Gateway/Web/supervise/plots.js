/**
 * Plots as SVG, each with the same numbers as a table beside it for those who do not see it.
 * @module
 */

import { build } from "../shared/dom.js";

const namespace = "http://www.w3.org/2000/svg";

/** @param {string} name @param {Record<string, string | number>} attributes @param {...(Node | string)} children */
function svg(name, attributes, ...children) {
  const node = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  node.append(...children);
  return node;
}

/**
 * A panel with a plot, what it says in a sentence, and its numbers.
 * @param {{title: string, words: string, plot?: Element, columns: string[], rows: (string | number)[][], empty?: string, wide?: boolean}} facts
 */
export function panel({ title, words, plot, columns, rows, empty, wide }) {
  if (empty) return build("section", { class: wide ? "panel plot wide" : "panel plot" }, build("h2", {}, title), build("p", { class: "empty small" }, empty));
  return build(
    "section", { class: wide ? "panel plot wide" : "panel plot" }, build("h2", {}, title), build("p", { class: "plot-words" }, words), plot,
    build("details", {}, build("summary", {}, "Numbers"), table(title, columns, rows)));
}

function table(title, columns, rows) {
  return build(
    "div", { class: "plot-table", tabindex: "0", role: "region", "aria-label": `${title}, numbers` },
    build(
      "table", { class: "table" }, build("thead", {}, build("tr", {}, ...columns.map((name) => build("th", { scope: "col" }, name)))),
      build("tbody", {}, ...rows.map(([first, ...rest]) =>
        build("tr", {}, build("th", { scope: "row" }, String(first)), ...rest.map((value) => build("td", {}, String(value))))))));
}

/**
 * How many took how long, as columns, with marks where they should have been done.
 * @param {{bins: [number, number][], beyond: number, marks?: {at: number, words: string}[], label: string}} facts
 */
export function distribution({ bins, beyond, marks = [], label }) {
  const [width, height, bottom, top, left] = [widthOf(false), 200, 24, 22, 30];
  const last = Math.max(30, ...bins.map(([upTo]) => upTo));
  const step = last > 60 ? 5 : last > 30 ? 2 : 1;
  const count = Math.ceil(last / step);
  const columns = Array.from({ length: count }, (_, index) =>
    bins.filter(([upTo]) => Math.ceil(upTo / step) === index + 1).reduce((sum, [, number]) => sum + number, 0));
  const highest = niceTop(Math.max(1, beyond, ...columns));
  const slot = (width - left) / (count + 1.5);
  const y = (value) => top + (1 - value / highest) * (height - top - bottom);
  const x = (seconds) => left + (seconds / step) * slot;
  const plot = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "chart" });
  plot.append(...grid(highest, y, left, width));
  const limit = marks.at(0)?.at ?? Infinity;
  columns.forEach((value, index) => {
    if (value === 0) return;
    const isLate = (index + 1) * step > limit;
    plot.append(svg("rect", { class: isLate ? "bar late" : "bar", x: x(index * step) + 1, y: y(value), width: Math.max(1, slot - 2), height: y(0) - y(value) }));
  });
  if (beyond > 0) {
    plot.append(
      svg("rect", { class: "bar late", x: x((count + 0.5) * step), y: y(beyond), width: slot - 1, height: y(0) - y(beyond) }),
      text("tick", x((count + 1) * step), height - 6, ">", "middle"));
  }
  for (let seconds = 0; seconds <= last; seconds += last > 60 ? 20 : last > 30 ? 10 : 5) {
    plot.append(text("tick", x(seconds), height - 6, `${seconds} s`, "middle"));
  }
  marks.forEach(({ at, words }, index) => plot.append(
    svg("line", { class: "mark", x1: x(at), x2: x(at), y1: top - 8, y2: y(0) }),
    text("mark-words", x(at) + (index === 0 ? -4 : 4), top - 10, words, index === 0 ? "end" : "start")));
  return plot;
}

/**
 * Bars beside one another, one a moment, several kinds in lines above.
 * @param {{labels: string[], columns: number[], lines?: {name: string, values: number[], kind: string}[], label: string, every: number, wide?: boolean}} facts
 */
export function series({ labels, columns, lines = [], label, every, wide }) {
  const [width, height, bottom, top, left] = [widthOf(wide), 200, 24, 12, 34];
  const highest = niceTop(Math.max(1, ...columns, ...lines.flatMap(({ values }) => values)));
  const slot = (width - left) / Math.max(1, labels.length);
  const y = (value) => top + (1 - value / highest) * (height - top - bottom);
  const plot = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "chart" });
  plot.append(...grid(highest, y, left, width));
  columns.forEach((value, index) => {
    if (value > 0) plot.append(svg("rect", { class: "bar", x: left + index * slot + 1, y: y(value), width: Math.max(1, slot - 2), height: y(0) - y(value) }));
  });
  for (const { values, kind } of lines) {
    const points = values.map((value, index) => `${left + (index + 0.5) * slot},${y(value)}`).join(" ");
    plot.append(svg("polyline", { class: `line ${kind}`, points }));
  }
  labels.forEach((words, index) => {
    if (index % every === 0) plot.append(text("tick", left + (index + 0.5) * slot, height - 6, words, "middle"));
  });
  return plot;
}

/**
 * Steps one below the other, each as long as what is left.
 * @param {{name: string, count: number, lost: string}[]} steps
 */
export function funnel(steps) {
  const first = Math.max(1, steps[0]?.count ?? 0);
  return build("ol", { class: "funnel" }, ...steps.map(({ name, count, lost }) => {
    const bar = build("span", { class: "funnel-bar" });
    bar.style.width = `${Math.max(0.5, (100 * count) / first)}%`;
    return build(
      "li", {}, build("span", { class: "funnel-name" }, name), build("span", { class: "funnel-track", "aria-hidden": "true" }, bar),
      build("span", { class: "funnel-count figures" }, `${count}, ${percent(count / first)}`), lost && build("span", { class: "funnel-lost" }, lost));
  }));
}

/** A share of a whole, filled so far. @param {number} share @param {string} label */
export function gauge(share, label) {
  const bar = build("span", { class: share > 0.9 ? "gauge-bar full" : "gauge-bar" });
  bar.style.width = `${Math.min(100, 100 * share)}%`;
  return build("div", { class: "gauge", role: "img", "aria-label": label }, bar);
}

/** @param {number} share */
export function percent(share) {
  return `${Math.round(100 * share)} %`;
}

function grid(highest, y, left, width) {
  return [0, 0.5, 1].flatMap((share) => [
    svg("line", { class: "rule", x1: left, x2: width, y1: y(share * highest), y2: y(share * highest) }),
    text("tick", left - 6, y(share * highest) + 4, highest * share === Math.round(highest * share) ? String(highest * share) : "", "end"),
  ]);
}

function text(kind, x, y, words, anchor) {
  return svg("text", { class: kind, x, y, "text-anchor": anchor }, words);
}

/** Units across a plot, about a pixel each, so that its letters are as large as the page's. */
function widthOf(wide) {
  if (innerWidth < 600) return 320;
  return wide ? 1200 : 600;
}

/** The next number of which half is whole. */
function niceTop(value) {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, 6, 8, 10].find((factor) => factor * magnitude >= value) ?? 10;
  return Math.max(2, step * magnitude);
}
