// @ts-check
/** What all sections of System have in common: a title, and what the recorder says, asked again every while. */

import { Trouble } from "./api.js";
import { icon, make, write } from "./dom.js";
import { recorder } from "./recorder.js";
import { renew } from "./renew.js";
import { button } from "./rows.js";
import { say } from "./say.js";
import { sentence } from "./words.js";

/** @typedef {import("./dom.js").Child} Child */

export class Section extends HTMLElement {
  /** Milliseconds until the recorder is asked again; 0 where once is enough. */
  every = 30_000;
  body = make("div", { class: "body", "aria-busy": "true" }, make("p", { class: "quiet" }, say.app.loading));
  #told = make("p", { class: "complaint", role: "status" });
  /** @type {AbortController | null} */
  #life = null;
  #turn = 0;

  /** @returns {{title: string, head?: Child[], foot?: Node[]}} what stands around it, all the time */
  frame() {
    return { title: "" };
  }

  /** What there is. Throws Trouble. @returns {Promise<Child[]>} */
  load() {
    return Promise.resolve(/** @type {Child[]} */ ([]));
  }

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    const { title, head = [], foot = [] } = this.frame();
    this.replaceChildren(make("header", {}, make("h1", {}, title), ...head), this.#told, this.body, ...foot);
    recorder.addEventListener("change", () => recorder.away || void this.look(), { signal });
    const timer = setInterval(() => document.hidden || recorder.away || void this.look(), this.every || 2 ** 30);
    signal.addEventListener("abort", () => clearInterval(timer));
    void this.look();
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  /** Ask now, and show it. What was there stays until then, and when it cannot be had. */
  async look() {
    if (!this.every && !this.body.hasAttribute("aria-busy")) return;
    const turn = ++this.#turn;
    try {
      const found = await this.load();
      if (turn === this.#turn) this.#show(found);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      if (turn === this.#turn) this.#fail(error);
    }
  }

  /** @param {Child[]} found */
  #show(found) {
    write(this.#told, "");
    renew(this.body, make("div", { class: "body" }, ...found));
  }

  /** @param {Trouble} error */
  #fail({ message }) {
    write(this.#told, sentence(message));
    if (!this.body.hasAttribute("aria-busy")) return;
    this.body.replaceChildren(make("div", { class: "buttons" }, button(say.app.tryNow, "", () => this.look())));
  }
}

/** @param {string} told */
export function trouble(told) {
  return make("p", { class: "trouble" }, icon("trouble"), make("span", {}, told));
}

/** A figure in a table. @param {string} text @param {boolean} [less] it may be left away on a phone */
export function cell(text, less = false) {
  return make("td", { class: less ? "number time less" : "number time" }, text);
}

/** Above names, and figures: those that may be left away on a phone, too. @param {string} first @param {...[string, boolean]} others */
export function heads(first, ...others) {
  const all = others.map(([text, less]) => make("th", { scope: "col", class: less ? "number less" : "number" }, text));
  return make("thead", {}, make("tr", {}, make("th", { scope: "col" }, first), ...all));
}
