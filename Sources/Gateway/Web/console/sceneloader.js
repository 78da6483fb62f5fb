/**
 * Brings in the scene, which is large: the queue and the alert work before it is there, and without it.
 * @module
 */

import { build } from "../shared/dom.js";

/**
 * @param {HTMLElement} root
 * @param {import("../shared/shell.js").Shell} shell
 * @returns {Promise<{open: (current: object) => void, close: () => void}>}
 */
export async function loadScene(root, shell) {
  try {
    const { Scene } = await import("./scene/scene.js");
    const scene = new Scene(root, shell);
    shell.shortcuts.add(...scene.shortcuts);
    return scene;
  } catch (error) {
    console.warn("sightline: the scene could not be loaded:", error.message);
    return new WordsOnly(root);
  }
}

/** Stands in for pictures that cannot be shown: the rest of the incident goes on. */
class WordsOnly {
  #root;

  constructor(root) {
    this.#root = root;
  }

  open() {
    this.#root.replaceChildren(build("p", { class: "scene-missing" }, "Pictures cannot be shown here right now. Reload the page to try again; chat, map and notes work."));
  }

  close() {
    this.#root.replaceChildren();
  }
}
