/**
 * A link to show: as a code for a camera, and as text to copy.
 * @module
 */

import { build, setState } from "../shared/dom.js";
import { icon } from "../shared/icons.js";

/** Shows one link at a time. */
export class LinkPanel {
  root = build("section", { class: "notice link-panel", "aria-labelledby": "link-title", hidden: true });
  #shell;
  #current;
  #shown;

  /** @param {import("../shared/shell.js").Shell} shell */
  constructor(shell) {
    this.#shell = shell;
  }

  open(current) {
    this.#current = current;
  }

  close() {
    this.hide();
    this.#current = undefined;
  }

  /** The link that is shown. */
  get link() {
    return this.#shown?.link;
  }

  hide() {
    this.#shown = undefined;
    setState(this.root, "hidden", true);
  }

  /**
   * @param {{link: string, url: string, qr?: string, role: string, name?: string}} made as the service answered
   */
  show(made) {
    this.#shown = made;
    const address = build("input", { id: "link-address", readonly: true, value: made.url, "aria-label": "Address of the link" });
    address.addEventListener("focus", () => address.select());
    const code = made.qr && build("img", { class: "qr", src: `data:image/svg+xml,${encodeURIComponent(made.qr)}`, alt: "QR code of the link" });
    const whose = made.role === "caller" ? "the caller" : made.name;
    this.root.replaceChildren(
      code || "",
      build("div", { class: "form" },
        build("h2", { id: "link-title" }, `Link for ${whose}`),
        build("p", {}, made.role === "caller"
          ? "Have the caller scan this, or read out or paste the address. It opens on one phone, once."
          : "Have them scan this, or paste the address. It ends by itself."),
        address,
        build("div", { class: "row" },
          build("button", { class: "primary", onclick: () => this.#copy(made.url, address) }, icon("link"), "Copy the link"),
          build("button", { onclick: () => this.hide() }, "Hide"))));
    setState(this.root, "hidden", false);
  }

  async #copy(url, address) {
    try {
      await navigator.clipboard.writeText(url);
      this.#shell.toast("The link is copied.");
    } catch {
      address.focus();
      this.#shell.toast("Copying is not allowed here. The address is selected: press Ctrl C.");
    }
  }

  /** What was shown for a caller goes by itself once they have it open. */
  render() {
    if (!this.#shown || !this.#current) return;
    const { link, role } = this.#shown;
    const entry = this.#current.model.links.get(link);
    const caller = role === "caller" && this.#current.model.callers.get(link);
    if (entry?.isRevoked || (caller && !["requested", "linkSent"].includes(caller.stage))) this.hide();
  }
}
