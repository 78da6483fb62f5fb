/**
 * Tabs of which one is shown: by tap, by the arrow keys, or by a swipe to the side.
 * @module
 */

/** Pixels to the side that count as a swipe. */
const swipe = 60;

/** Dispatches `change` with the name of the tab that is shown now. */
export class Tabs extends EventTarget {
  #tabs;
  selected = "";

  /** @param {HTMLElement} root holds a `tablist` and the panels that its tabs name */
  constructor(root) {
    super();
    this.#tabs = [...root.querySelectorAll("[role=tab]")];
    for (const tab of this.#tabs) tab.addEventListener("click", () => this.select(tab));
    root.querySelector("[role=tablist]").addEventListener("keydown", (event) => this.#onKey(event));
    this.#listenForSwipes(root);
    this.select(this.#tabs[0]);
  }

  /** @param {HTMLElement} chosen */
  select(chosen) {
    for (const tab of this.#tabs) {
      const isChosen = tab === chosen;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !isChosen;
    }
    this.selected = chosen.id.replace("tab-", "");
    this.dispatchEvent(new Event("change"));
  }

  #step(steps, takesFocus) {
    const now = this.#tabs.findIndex((tab) => tab.id === `tab-${this.selected}`);
    const next = this.#tabs[now + steps];
    if (!next) return;
    this.select(next);
    if (takesFocus) next.focus();
  }

  #onKey(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!steps) return;
    event.preventDefault();
    this.#step(steps, true);
  }

  /** On the map a finger moves the map. */
  #listenForSwipes(root) {
    let start;
    root.addEventListener("touchstart", ({ target, touches }) => {
      start = touches.length === 1 && !target.closest(".map-canvas, textarea") ? touches[0] : undefined;
    }, { passive: true });
    root.addEventListener("touchend", ({ changedTouches: [end] }) => {
      if (!start) return;
      const [across, down] = [end.clientX - start.clientX, end.clientY - start.clientY];
      if (Math.abs(across) > swipe && Math.abs(across) > 2 * Math.abs(down)) this.#step(across < 0 ? 1 : -1, false);
    }, { passive: true });
  }
}
