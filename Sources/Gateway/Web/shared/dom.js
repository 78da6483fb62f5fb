/**
 * Small helpers to build and change the page. State flows one way: they only ever write.
 * @module
 */

/** @param {string} id */
export const element = (id) => document.getElementById(id);

/**
 * Builds an element: `build("button", { class: "primary", onclick: send, disabled: false }, "Send")`. Names that begin with
 * `on` are listeners, booleans are attributes that are there or not, `dataset` sets `data-…`, the rest are attributes.
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | undefined | false)} children
 */
export function build(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) setAttribute(node, key, value);
  node.append(...children.filter((child) => child !== undefined && child !== false && child !== ""));
  return node;
}

function setAttribute(node, key, value) {
  if (value === undefined || value === false) return;
  if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
  else if (key === "dataset") Object.assign(node.dataset, value);
  else node.setAttribute(key, value === true ? "" : String(value));
}

/** Leaves equal text alone, so that screen readers hear only news. @param {Element} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Element} node @param {string} name @param {string | boolean | undefined} value */
export function setState(node, name, value) {
  if (typeof value === "boolean") node.toggleAttribute(name, value);
  else if (value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** @param {HTMLMediaElement} media @param {MediaStream | null} stream */
export function setSource(media, stream) {
  if (media.srcObject !== stream) media.srcObject = stream;
}

/**
 * Keeps one child for each item, in their order: rows stay the same elements while their item stays, so that the focus, the
 * scrolling and what a screen reader reads are left alone.
 * @template Item
 * @param {Element} parent
 * @param {Item[]} items
 * @param {(item: Item) => string | number} key
 * @param {(item: Item) => HTMLElement} make a new row
 * @param {(row: HTMLElement, item: Item) => void} [update] also called for a new row
 */
export function keepRows(parent, items, key, make, update = () => {}) {
  const rows = new Map([...parent.children].map((row) => [row.dataset.key, row]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    const row = rows.get(name) ?? make(item);
    rows.delete(name);
    row.dataset.key = name;
    update(row, item);
    if (row === place) place = place.nextElementSibling;
    else parent.insertBefore(row, place);
  }
  for (const row of rows.values()) row.remove();
}

/** Puts new children in place only when `value` has changed. @param {Element} parent @param {any} value @param {() => Node[]} make */
export function replaceWhenNew(parent, value, make) {
  const text = JSON.stringify(value);
  if (parent.sightlineValue === text) return;
  parent.sightlineValue = text;
  parent.replaceChildren(...make());
}
