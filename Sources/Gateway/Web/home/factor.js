/**
 * The second factor of one's account: set up with an authenticator app, and taken off.
 * @module
 */

import { build } from "../shared/dom.js";
import { ask, copyButton, field, form } from "../shared/forms.js";

/** Dispatches `changed` when the factor was set up or taken off. */
export class SecondFactor extends EventTarget {
  #shell;
  #panel;
  #isOn;
  /** What was begun and waits for its first code. */
  #begun;

  /**
   * @param {import("../shared/shell.js").Shell} shell
   * @param {HTMLElement} panel
   * @param {boolean} isOn
   */
  constructor(shell, panel, isOn) {
    super();
    this.#shell = shell;
    this.#panel = panel;
    this.#isOn = isOn;
    this.#render();
  }

  #render() {
    const state = this.#begun ? this.#setUp() : this.#isOn ? this.#on() : this.#off();
    this.#panel.replaceChildren(build("h2", { id: "factor-title" }, "Second factor"), build("div", { class: "inside" }, ...state));
  }

  #off() {
    const password = build("input", { type: "password", id: "factor-password", autocomplete: "current-password", required: true });
    const send = async () => {
      this.#begun = await this.#shell.session.post("/api/v1/me/second-factor", { password: password.value });
      this.#render();
      this.#panel.querySelector("#factor-code").focus();
    };
    return [
      build("p", {}, "Off. With it, whoever learns your password still cannot sign in without your phone."),
      form({ submit: "Set up a second factor", busy: "Beginning…", send }, field("Your password", password)),
    ];
  }

  #setUp() {
    const { secret, qr, address } = this.#begun;
    const spaced = secret.replace(/(.{4})(?=.)/g, "$1 ");
    const code = build("input", {
      id: "factor-code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 7, required: true, pattern: "\\d{3} ?\\d{3}",
      title: "Six digits",
    });
    const send = async () => {
      await this.#shell.session.post("/api/v1/me/second-factor/confirm", { code: code.value.replaceAll(/\D/g, "") });
      this.#finish(true, "The second factor is on. From now on you need your phone to sign in.");
    };
    const cancel = () => {
      this.#begun = undefined;
      this.#render();
    };
    const picture = qr
      ? build("img", { src: `data:image/svg+xml,${encodeURIComponent(qr)}`, alt: "QR code for your authenticator app", width: 176, height: 176 })
      : build("a", { href: address }, "Open in an app on this device");
    return [
      build(
        "div", { class: "factor-set-up" }, picture,
        build(
          "ol", {},
          build("li", {}, "Open an authenticator app on your phone and scan the code. If it cannot scan, type this: ", build("span", { class: "copyable", id: "factor-secret" }, spaced), " ", copyButton(() => secret)),
          build("li", {}, "Type the six digits that the app shows."))),
      form(
        { submit: "Confirm", busy: "Checking…", send, extra: [build("button", { type: "button", onclick: cancel }, "Cancel")] },
        field("Six digits", code, "Nothing changes before a code was right.")),
    ];
  }

  #on() {
    const remove = () => {
      const password = build("input", { type: "password", autocomplete: "current-password", required: true });
      ask({
        title: "Remove the second factor?", text: "Your password alone will open your account again.", action: "Remove it",
        fields: [field("Your password", password)],
        run: async () => {
          await this.#shell.session.post("/api/v1/me/second-factor/remove", { password: password.value });
          this.#finish(false, "The second factor was removed.");
        },
      });
    };
    return [
      build("p", {}, build("b", {}, "On."), " Signing in takes your password and a code of your phone."),
      build("div", { class: "row-end" }, build("button", { type: "button", onclick: remove }, "Remove…")),
      build("p", { class: "hint" }, "Lost the phone? An admin can remove it for you. New phone? Remove it here, then set it up again."),
    ];
  }

  #finish(isOn, text) {
    this.#isOn = isOn;
    this.#begun = undefined;
    this.#render();
    this.#shell.toast(text);
    this.dispatchEvent(new Event("changed"));
  }
}
