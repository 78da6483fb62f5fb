/**
 * Quick phrases in a caller's language, with their English beside.
 * @module
 */

/**
 * @param {string} language BCP 47; a language that nobody has translated is answered in English
 * @returns {Promise<{key: string, text: string, english: string, language: string, direction: "ltr" | "rtl"}[]>}
 */
export async function loadPhrases(language) {
  try {
    const { languages, phraseKeys, rightToLeft } = await import("../languages/phrases.js");
    const base = language.toLowerCase().split("-")[0];
    const known = Object.hasOwn(languages, base) ? base : "en";
    const [english, own] = await Promise.all([phrasesOf("en"), phrasesOf(known)]);
    const direction = rightToLeft.has(known) ? "rtl" : "ltr";
    return phraseKeys.map((key) => ({ key, text: own[key] ?? english[key], english: english[key], language: known, direction }));
  } catch (error) {
    console.info("sightline: no quick phrases:", error.message);
    return [];
  }
}

/** @returns {Promise<Record<string, string>>} */
async function phrasesOf(language) {
  const module = await import(`../languages/${language}.js`);
  return module.phrases ?? module.default?.phrases ?? {};
}
