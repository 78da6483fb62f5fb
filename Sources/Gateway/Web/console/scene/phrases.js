/**
 * Quick phrases for the caller's screen, in the caller's language with their English beside.
 * @module
 */

/**
 * @param {string | undefined} language of the caller's page, BCP 47
 * @returns {Promise<{language: string, phrases: {key: string, text: string, english: string}[]}>} none when the languages
 *   cannot be had: everything else goes on
 */
export async function phrasesIn(language = "en") {
  const [base] = language.toLowerCase().split("-");
  try {
    const { languages, phraseKeys, phrasesIn: load } = await import("../../languages/phrases.js");
    const [own, english] = await Promise.all([load(base), load("en")]);
    return {
      language: base in languages ? base : "en",
      phrases: phraseKeys.map((key) => ({ key, text: own[key] ?? english[key], english: english[key] })),
    };
  } catch {
    return { language: "en", phrases: [] };
  }
}

/** What a language is called in English. @param {string} language */
export function languageName(language) {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(language) ?? language;
  } catch {
    return language;
  }
}
