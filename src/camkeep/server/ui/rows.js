// @ts-check
/** Lists of things that people have, with what can be done to each. */

import { Trouble } from "./api.js";
import { make } from "./dom.js";
import { locale, say } from "./say.js";
import { tell } from "./toast.js";
import { sentence } from "./words.js";

/** @typedef {import("./dom.js").Child} Child */

/** Do it; what goes wrong is told at the bottom. @param {() => unknown} work */
export async function trying(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    tell(sentence(error.message), { trouble: true });
  }
}

/** The elements of lists when all have been filled: none moves the one below it. @param {List[]} lists */
export async function filled(...lists) {
  await Promise.all(lists.map((list) => list.fill()));
  return lists.map((list) => list.element);
}

/** A list with a title, which is filled again whenever something was done to one of it. */
export class List {
  #body = make("ul", { class: "rows", "aria-busy": "true" }, make("li", { class: "quiet" }, say.app.loading));
  /** @type {() => Promise<(HTMLElement | string)[]>} */
  #rows;
  #empty;

  /**
   * @param {string} title
   * @param {string} empty what is said where there is nothing
   * @param {() => Promise<HTMLElement[]>} rows
   * @param {...Child} below
   */
  constructor(title, empty, rows, ...below) {
    this.#rows = rows;
    this.#empty = empty;
    this.element = make("section", {}, make("h2", {}, title), this.#body, ...below);
  }

  /** Ask anew. What was there stays until then. */
  async fill() {
    try {
      const rows = await this.#rows();
      this.#body.replaceChildren(...(rows.length ? rows : [make("li", { class: "quiet" }, this.#empty)]));
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      const again = button(say.app.tryNow, "", () => this.fill());
      this.#body.replaceChildren(make("li", { class: "row" }, make("span", {}, sentence(error.message)), again));
    }
    this.#body.removeAttribute("aria-busy");
  }
}

/**
 * One of a list: its name, what is said of it, and buttons.
 *
 * @param {Child} name
 * @param {Child[]} told
 * @param {...Child} buttons
 */
export function row(name, told, ...buttons) {
  const said = told.filter(Boolean).flatMap((each, n) => (n ? [" · ", each] : [each]));
  const text = make("span", {}, make("b", {}, name), make("span", { class: "hint" }, ...said));
  return make("li", { class: "row" }, text, ...buttons);
}

/** A button whose name tells what of. @param {string} word @param {string} of @param {() => unknown} work */
export function button(word, of, work) {
  const made = make("button", { type: "button", "aria-label": of && `${word}: ${of}` }, word);
  made.addEventListener("click", async () => {
    made.disabled = true;
    await trying(work);
    made.disabled = false;
  });
  return made;
}

/** A day and a time. @param {number} us */
export function when(us) {
  const at = new Date(us / 1000);
  const text = at.toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
  return make("time", { class: "time", datetime: at.toISOString() }, text);
}

/** "used 25 Nov 2026, 14:03": words around a time. @param {string} word @param {number} us */
export function at(word, us) {
  return make("span", {}, `${word} `, when(us));
}
