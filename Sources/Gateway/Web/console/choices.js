/**
 * What somebody has chosen on this page, kept in the browser for the next time.
 * @module
 */

const prefix = "sightline.console.";

/** @template Value @param {string} name @param {Value} standard @returns {Value} */
export function readChoice(name, standard) {
  try {
    const value = JSON.parse(localStorage.getItem(prefix + name));
    if (value === null || typeof value !== typeof standard) return standard;
    return typeof standard === "object" ? { ...standard, ...value } : value;
  } catch {
    return standard;
  }
}

/** @param {string} name @param {any} value */
export function writeChoice(name, value) {
  try {
    localStorage.setItem(prefix + name, JSON.stringify(value));
  } catch {
    // Storage may be full or forbidden; the choice then lasts as long as the page.
  }
}
