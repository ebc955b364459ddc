// @ts-check
/** A look at a camera before it is saved: its picture, what it sends and what that means. */

import { Trouble } from "./api.js";
import { wrong } from "./camera-form.js";
import { icon, make } from "./dom.js";
import { say } from "./say-more.js";
import { setup } from "./setup.js";
import { sends, sentence } from "./words.js";

/** @typedef {import("./setup.js").Tested} Tested */

export class Trial {
  element = make("div", { class: "result", role: "status" });
  /** @type {string | null} */
  #picture = null;

  /**
   * @param {HTMLFormElement} form
   * @param {(fingerprint: string) => void} trust the certificate that it showed
   */
  constructor(form, trust) {
    this.form = form;
    this.trust = trust;
  }

  /** Whether a picture came. @param {import("./setup.js").Wish} wanted @param {AbortSignal} signal @returns {Promise<Tested | null>} */
  async run(wanted, signal) {
    this.forget();
    this.element.replaceChildren(make("p", { class: "quiet looking" }, say.cameras.testing));
    this.element.scrollIntoView({ block: "nearest" });
    try {
      const tested = await setup.test(wanted, signal);
      if (tested.ok) this.#report(tested);
      else this.#failed(tested);
      return tested;
    } catch (error) {
      if (signal.aborted) return null;
      if (!(error instanceof Trouble)) throw error;
      this.element.replaceChildren();
      if (!wrong(this.form, error.message)) this.#complain(error.message);
      return null;
    } finally {
      this.element.scrollIntoView({ block: "nearest" });
    }
  }

  forget() {
    if (this.#picture) URL.revokeObjectURL(this.#picture);
    this.#picture = null;
    this.element.replaceChildren();
  }

  /** @param {string} told */
  #complain(told) {
    this.element.replaceChildren(make("p", { class: "complaint" }, icon("trouble"), sentence(told)));
  }

  /** @param {Tested} tested */
  #failed({ error, cause }) {
    const told = error ?? say.cameras.noPicture;
    const fingerprint = /sha256:[0-9a-f]{64}/.exec(told)?.[0];
    if (cause === "trust" && fingerprint) {
      const trust = make("button", { type: "button" }, say.cameras.trust);
      trust.addEventListener("click", () => this.trust(fingerprint));
      const shown = (fingerprint.slice(7).match(/.{4}/g) ?? []).join(" ");
      this.element.replaceChildren(
        make("p", { class: "complaint" }, icon("trouble"), say.cameras.untrusted),
        make("p", { class: "quiet" }, say.cameras.untrustedTold),
        make("code", { class: "print" }, shown),
        make("div", { class: "buttons" }, trust),
      );
      return;
    }
    this.#complain(told);
    if (cause === "login") {
      const user = this.form.elements.namedItem("user");
      const empty = user instanceof HTMLInputElement && !user.value;
      if (wrong(this.form, told, empty ? "user" : "password")) this.element.replaceChildren();
    }
  }

  /** @param {Tested} tested */
  #report({ report, picture }) {
    const advice = (report?.advice ?? []).map((words) => make("li", {}, icon("trouble"), make("span", {}, sentence(words))));
    const fine = !advice.length && make("p", { class: "quiet" }, say.cameras.nothingWrong);
    this.element.replaceChildren(
      ...(picture ? [this.#shown(picture, report?.video)] : []),
      make("p", {}, make("b", {}, say.cameras.works), sends(report)),
      ...(fine ? [fine] : []),
      make("ul", { class: "advice" }, ...advice),
    );
  }

  /**
   * @param {string} url of data: a JPEG, or a movie of one frame
   * @param {import("./api.js").Video | null | undefined} size
   */
  #shown(url, size) {
    const [, kind, data] = /^data:([^;,]+);base64,(.*)$/s.exec(url) ?? [];
    const bytes = Uint8Array.from(atob(data ?? ""), (letter) => letter.charCodeAt(0));
    this.#picture = URL.createObjectURL(new Blob([bytes], { type: kind }));
    const shape = { src: this.#picture, width: size?.width, height: size?.height };
    if (kind === "image/jpeg") return make("img", { ...shape, alt: say.cameras.seen });
    const video = make("video", { ...shape, playsinline: true, "aria-label": say.cameras.seen });
    video.addEventListener("error", () => video.replaceWith(make("p", { class: "quiet" }, say.cameras.notHere)));
    video.muted = true;
    return video;
  }
}
