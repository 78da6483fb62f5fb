/**
 * What the page has to know after a reload. Storage may be forbidden; it is then forgotten.
 * @module
 */

const place = (token, name) => `sightline.${name}.${token.slice(-32)}`;

/** @param {string} token of the link that it belongs to @param {string} name @returns {string | undefined} */
export function recall(token, name) {
  try {
    return sessionStorage.getItem(place(token, name)) ?? undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} token @param {string} name @param {string | undefined} value nothing forgets it */
export function remember(token, name, value) {
  try {
    if (value === undefined) sessionStorage.removeItem(place(token, name));
    else sessionStorage.setItem(place(token, name), value);
  } catch {
    // As above.
  }
}
