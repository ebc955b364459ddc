// @ts-check
/** Parts of forms that are used in several places. */

import { Trouble } from "./api.js";
import { make } from "./dom.js";
import { say } from "./say.js";
import { sentence } from "./words.js";

let count = 0;

/**
 * A labelled field.
 *
 * @param {string} label
 * @param {Record<string, unknown>} attributes of the input; `name` is needed
 * @param {string} [hint] a sentence below it
 */
export function field(label, attributes, hint = "") {
  const id = `field-${++count}`;
  const input = make("input", {
    id,
    "aria-describedby": hint ? `${id}-hint` : null,
    ...attributes,
  });
  const below = hint && make("span", { class: "hint", id: `${id}-hint` }, hint);
  return make("div", { class: "field" }, make("label", { for: id }, label), input, below);
}

/** A field for a password, which can be shown. @param {Record<string, unknown>} attributes @param {string} [hint] @param {string} [label] */
export function passwordField(attributes, hint = "", label = say.login.password) {
  const whole = field(label, { type: "password", name: "password", ...attributes }, hint);
  const input = /** @type {HTMLInputElement} */ (whole.querySelector("input"));
  const show = make(
    "button",
    { type: "button", class: "plain show", "aria-pressed": "false" },
    say.login.show,
  );
  show.addEventListener("click", () => {
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    show.setAttribute("aria-pressed", String(hidden));
    show.textContent = hidden ? say.login.hide : say.login.show;
  });
  input.after(show);
  return whole;
}

/**
 * One of several to be picked: a word, and what it means.
 *
 * @param {"radio" | "checkbox"} type
 * @param {string} name
 * @param {string} value
 * @param {string[]} words
 * @param {boolean} checked
 */
export function pick(type, name, value, [word, meaning], checked) {
  const input = make("input", { type, name, value, checked });
  const hint = meaning && make("span", { class: "hint" }, meaning);
  return make("label", { class: "pick" }, input, make("span", {}, word, hint));
}

/** One of a few, folded up. @param {string} label @param {string} name @param {string[][]} all values and words */
export function choice(label, name, all) {
  const id = `field-${++count}`;
  const options = all.map(([value, word]) => make("option", { value }, word));
  return make("div", { class: "field" }, make("label", { for: id }, label), make("select", { id, name }, ...options));
}

/** Where a form says what went wrong. */
export function complaint() {
  return make("p", { class: "complaint", role: "alert" });
}

/**
 * What somebody typed; fields that are empty are left away.
 *
 * @param {HTMLFormElement} form
 * @returns {Record<string, string>}
 */
export function typed(form) {
  /** @type {Record<string, string>} */
  const values = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value !== "string") continue;
    const kept = name === "password" ? value : value.trim();
    if (kept) values[name] = kept;
  }
  return values;
}

/**
 * Do something at the press of a button: it cannot be pressed meanwhile, and `told` says what went
 * wrong. Answers whether it went well.
 *
 * @param {HTMLElement} within whose buttons are meant
 * @param {HTMLElement} told
 * @param {() => Promise<void>} work
 */
export async function attempt(within, told, work) {
  const buttons = [...within.querySelectorAll("button")].filter((button) => !button.disabled);
  for (const button of buttons) button.disabled = true;
  told.textContent = "";
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    told.textContent = sentence(error.message);
    return false;
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}
