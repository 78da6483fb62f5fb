/**
 * The page's theme: what the person chose, or else what the device asks for.
 * @module
 */

const themes = ["dark", "light", "sunlight"];
const storageKey = "sightline.theme";

/**
 * Sets the theme on the document.
 * @returns {string} the theme now in force
 */
export function applyTheme() {
  const preferred = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
  const theme = stored() ?? preferred;
  document.documentElement.dataset.theme = theme;
  return theme;
}

/**
 * Goes on to the next theme and remembers it.
 * @returns {string} the theme now in force
 */
export function nextTheme() {
  const current = themes.indexOf(document.documentElement.dataset.theme ?? "dark");
  const theme = themes[(current + 1) % themes.length];
  try {
    localStorage.setItem(storageKey, theme);
  } catch {
    // A private window may refuse to store; the choice then lasts as long as the page.
  }
  document.documentElement.dataset.theme = theme;
  return theme;
}

function stored() {
  try {
    const theme = localStorage.getItem(storageKey);
    return themes.includes(theme) ? theme : undefined;
  } catch {
    return undefined;
  }
}
