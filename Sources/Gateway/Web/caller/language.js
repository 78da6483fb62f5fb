/**
 * The language of the page: the person's choice, or else the first of the browser's that there is.
 * @module
 */

import { languages, rightToLeft } from "../languages/phrases.js";

const storageName = "sightline.language";

/** Dispatches `change` when another language is in force. */
class Language extends EventTarget {
  code = "en";
  /** All that the page says; nothing until the first language has come. @type {typeof import("../languages/en.js").words | undefined} */
  words;

  /** The language that the page begins with. @returns {string} */
  static get preferred() {
    const wanted = [stored(), ...(navigator.languages ?? [navigator.language])];
    return wanted.map((each) => each?.toLowerCase().split("-")[0]).find((code) => Object.hasOwn(languages, code)) ?? "en";
  }

  /** Loads the words, says them, and says which language it is. @param {string} [code] */
  async open(code = Language.preferred) {
    let module;
    try {
      module = await import(`../languages/${code}.js`);
    } catch (error) {
      // The line broke just then. The page stands in English, and the next try may work.
      if (this.words) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return this.open(code);
    }
    this.code = code;
    this.words = module.words;
    document.documentElement.lang = code;
    document.documentElement.dir = rightToLeft.has(code) ? "rtl" : "ltr";
    this.#write();
    this.dispatchEvent(new Event("change"));
    return undefined;
  }

  /** Changes over, and remembers it. @param {string} code */
  async choose(code) {
    try {
      localStorage.setItem(storageName, code);
    } catch {
      // A private window may refuse to store; the choice then lasts as long as the page.
    }
    await this.open(code);
  }

  /** One text by its key, such as `chat.title`. @param {string} key */
  text(key) {
    return key.split(".").reduce((part, name) => part[name], this.words);
  }

  /** People by their roles: "operator, 2 responders". @param {{role: string}[]} people */
  list(people) {
    const { roles, several } = this.words;
    const counts = new Map();
    for (const { role } of people) {
      const name = Object.hasOwn(roles, role) ? roles[role] : roles.other;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return [...counts].map(([name, count]) => (count > 1 ? several(count, name) : name)).join(this.comma);
  }

  /** Who wrote, and as what, unless the name says it. @param {string} name @param {string} role */
  who(name, role) {
    const { roles } = this.words;
    const part = Object.hasOwn(roles, role) ? roles[role] : roles.other;
    return name.toLowerCase().includes(part.toLowerCase()) ? name : [name, part].filter(Boolean).join(this.comma);
  }

  get comma() {
    return rightToLeft.has(this.code) ? "، " : ", ";
  }

  /** What stands in the page itself; keys say which of the words. */
  #write() {
    for (const node of document.querySelectorAll("[data-words]")) node.textContent = this.text(node.dataset.words);
    for (const node of document.querySelectorAll("[data-words-label]")) node.ariaLabel = this.text(node.dataset.wordsLabel);
    for (const node of document.querySelectorAll("[data-words-hint]")) node.placeholder = this.text(node.dataset.wordsHint);
  }
}

export const language = new Language();

function stored() {
  try {
    return localStorage.getItem(storageName) ?? undefined;
  } catch {
    return undefined;
  }
}
