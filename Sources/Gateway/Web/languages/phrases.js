/**
 * The languages there are, and the phrases that operators send in them.
 * @module
 */

/** Languages of the caller's page by their codes, each by its own name. */
export const languages = {
  en: "English",
  de: "Deutsch",
  fr: "Français",
  es: "Español",
  it: "Italiano",
  pt: "Português",
  pl: "Polski",
  ro: "Română",
  tr: "Türkçe",
  uk: "Українська",
  ru: "Русский",
  ar: "العربية",
  fa: "فارسی",
};

/** Languages that are written from right to left. */
export const rightToLeft = new Set(["ar", "fa"]);

/** Keys of the phrases, in the order in which operators need them. */
export const phraseKeys = [
  "areYouSafe", "moveAway", "comeCloser", "steadyHold", "showPatient", "showAround", "isAwake", "isBreathing", "openAirway",
  "startCPR", "pressHard", "dontMove", "anyoneElse", "helpIsComing", "stayOnLine", "speakOrWrite",
];

/**
 * The phrases in a language, by their keys; in English when there is no such language.
 * @param {string} [language] BCP 47, such as `de` or `pt-BR`
 * @returns {Promise<Record<string, string>>}
 */
export async function phrasesIn(language = "en") {
  const code = language.toLowerCase().split("-")[0];
  const { phrases } = await import(`./${code in languages ? code : "en"}.js`);
  return phrases;
}
