/**
 * Telephone numbers as people dictate them, made into E.164.
 * @module
 */

import { readChoice, writeChoice } from "./choices.js";

/** Country codes of the places that a browser's language names. */
const codes = {
  AT: "43", AU: "61", BE: "32", CA: "1", CH: "41", CZ: "420", DE: "49", DK: "45", ES: "34", FI: "358", FR: "33", GB: "44", GR: "30",
  HU: "36", IE: "353", IT: "39", LU: "352", NL: "31", NO: "47", NZ: "64", PL: "48", PT: "351", RO: "40", SE: "46", TR: "90", UA: "380", US: "1",
};
/** Countries whose local numbers keep their leading zero or have none to drop. */
const keepsZero = new Set(["39"]);

/** The country code of local numbers: chosen, else guessed. */
export function localCode() {
  const region = navigator.languages.map((language) => new Intl.Locale(language).maximize().region).find((each) => each in codes);
  return readChoice("countryCode", codes[region] ?? "");
}

/** @param {string} code such as `49` */
export function chooseLocalCode(code) {
  writeChoice("countryCode", code.replace(/\D/g, ""));
}

/**
 * @param {string} text as it was typed
 * @param {string} code country code of local numbers
 * @returns {{number?: string, isLocal?: boolean, problem?: string}} all empty for an empty text
 */
export function parseNumber(text, code) {
  const typed = text.trim();
  if (typed === "") return {};
  if (!/^\+?[\d\s()./-]+$/.test(typed)) return { problem: "A number has digits, spaces and a + in front." };
  // "+49 (0)151": the zero in brackets is for those who dial from inside.
  const isInternational = typed.startsWith("+") || /^\(?00/.test(typed);
  const plain = (isInternational ? typed.replace(/\(0\)/, "") : typed).replace(/[^\d+]/g, "");
  const digits = plain.replace(/^\+|^00/, "");
  if (isInternational) return checked(`+${digits}`);
  if (code === "1" && plain.length !== 10) return { problem: "Begin with + and the country, or choose the country below." };
  if (!code) return { problem: "Begin with + and the country, such as +49." };
  return { ...checked(`+${code}${keepsZero.has(code) ? plain : plain.replace(/^0/, "")}`), isLocal: true };
}

function checked(number) {
  if (number[1] === "0") return { problem: "The country's number does not begin with 0." };
  if (number.length < 8) return { problem: "This is too short for a number." };
  return number.length > 16 ? { problem: "This is too long for a number." } : { number };
}
