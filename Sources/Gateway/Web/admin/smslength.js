/**
 * How many text messages a text takes (3GPP TS 23.038, 23.040).
 * @module
 */

const plain = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
const escaped = new Set("^{}\\[~]|€");

/**
 * @param {string} text
 * @returns {{characters: number, parts: number, unicode: boolean}}
 */
export function segments(text) {
  const letters = [...text];
  const characters = letters.length;
  if (letters.every((letter) => plain.has(letter) || escaped.has(letter))) {
    const septets = letters.reduce((sum, letter) => sum + (escaped.has(letter) ? 2 : 1), 0);
    return { characters, parts: septets <= 160 ? 1 : Math.ceil(septets / 153), unicode: false };
  }
  // UTF-16 units, as the network counts them.
  return { characters, parts: text.length <= 70 ? 1 : Math.ceil(text.length / 67), unicode: true };
}
