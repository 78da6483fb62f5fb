/**
 * The small pictures: everybody who sends one, always in the same place, with the key that makes theirs the large one.
 * @module
 */

import { build, keepRows, setState, setText } from "../../shared/dom.js";
import { shortReduction } from "../../shared/quality.js";
import { Picture } from "./picture.js";
import { sourceStates } from "./words.js";

/**
 * @typedef {object} Sender
 * @property {string} actor who they are in the journal
 * @property {string} name
 * @property {string} part in words
 * @property {"live" | "stalled" | "waiting"} state of their picture
 * @property {import("../../shared/slot.js").Slot} [slot] where it is, if it is on one
 * @property {boolean} isLarge
 * @property {boolean} isClear
 */

export class Strip {
  element;

  #list = build("ul", { class: "strip" });
  /** @type {Map<string, Picture>} */
  #pictures = new Map();
  #choose;

  /** @param {(actor: string) => void} choose makes somebody's picture the large one */
  constructor(choose) {
    this.#choose = choose;
    this.element = build("section", { class: "strip-box", "aria-label": "Pictures", hidden: true }, this.#list);
  }

  /** @param {Sender[]} senders @param {{isStills: boolean, isMonochrome: boolean}} looks */
  render(senders, looks) {
    // One picture is the large one already.
    this.element.hidden = senders.length < 2;
    setState(this.element, "data-monochrome", looks.isMonochrome);
    const shown = this.element.hidden ? [] : senders;
    keepRows(this.#list, shown, ({ actor }) => actor, (sender) => this.#make(sender), (row, sender) => {
      this.#update(row, sender, shown.indexOf(sender) + 1, looks);
    });
    for (const [actor, picture] of this.#pictures) {
      if (shown.some((sender) => sender.actor === actor)) continue;
      picture.close();
      this.#pictures.delete(actor);
    }
  }

  #make({ actor, name }) {
    const picture = new Picture(`Picture of ${name}`);
    picture.video.muted = true;
    this.#pictures.set(actor, picture);
    const words = build("span", { class: "strip-words" }, build("kbd", { "aria-hidden": "true" }), build("strong"), build("small"));
    const button = build("button", { type: "button", onclick: () => this.#choose(actor) }, picture.element, words);
    return build("li", {}, button);
  }

  #update(row, { actor, name, part, state, slot, isLarge, isClear }, number, { isStills }) {
    const button = row.firstElementChild;
    const [key, who, what] = button.querySelector(".strip-words").children;
    const picture = this.#pictures.get(actor);
    picture.show(isLarge ? null : (slot?.stream ?? null));
    picture.setMode(!isClear ? "hidden" : isStills ? "stills" : "moving");
    setState(button, "aria-pressed", String(isLarge));
    setState(button, "aria-keyshortcuts", number <= 4 ? String(number) : undefined);
    setState(button, "data-state", state);
    setText(key, number <= 4 ? String(number) : "·");
    setText(who, name);
    const where = isLarge ? "shown large" : slot ? sourceStates[state] : "not shown";
    setText(what, [name.toLowerCase().includes(part) ? "" : part, where, isClear || isLarge || !slot ? "" : "hidden", isLarge ? "" : shortReduction(slot?.view)].filter(Boolean).join(", "));
  }

  close() {
    this.render([], { isStills: false, isMonochrome: false });
  }
}
