/**
 * Quick phrases in a caller's language, with their English beside.
 * @module
 */

const rightToLeft = new Set(["ar", "fa", "he", "ur"]);
/** What a language is called in the folder: letters only. */
const pattern = /^[a-z]{2,3}$/;

/**
 * @param {string} language BCP 47; a language that nobody has translated is answered in English
 * @returns {Promise<{key: string, text: string, english: string, direction: "ltr" | "rtl"}[]>}
 */
export async function loadPhrases(language) {
  const english = await phrasesOf("en");
  const base = language.toLowerCase().split("-")[0];
  const own = base === "en" || !pattern.test(base) ? english : await phrasesOf(base);
  const direction = rightToLeft.has(base) && own !== undefined ? "rtl" : "ltr";
  return Object.keys(english ?? {}).map((key) => ({ key, text: own?.[key] ?? english[key], english: english[key], direction }));
}

/** @returns {Promise<Record<string, string> | undefined>} */
async function phrasesOf(language) {
  try {
    const module = await import(`../languages/${language}.js`);
    return module.phrases ?? module.default?.phrases;
  } catch {
    return undefined;
  }
}
