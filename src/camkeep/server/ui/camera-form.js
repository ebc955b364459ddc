// @ts-check
/** Parts of the forms that set a camera up: its address and login, and which field is wrong. */

import { apart } from "./camera-values.js";
import { make } from "./dom.js";
import { field, passwordField } from "./forms.js";
import { say } from "./say-more.js";
import { sentence } from "./words.js";

const PLAIN = { autocomplete: "off", autocapitalize: "none", spellcheck: "false" };

/**
 * Address, user and password. What is pasted into the address with a login is taken apart.
 *
 * @param {"" | "sub_"} of the camera, or of its small stream
 * @param {{address?: string, user?: string, known?: boolean}} [value] `known`: it has a password
 */
export function login(of, { address = "", user = "", known = false } = {}) {
  const words = of ? [say.cameras.sub, say.cameras.subTold] : [say.cameras.address, say.cameras.addressTold];
  const first = field(
    words[0],
    { ...PLAIN, name: `${of}address`, value: address, required: !of, inputmode: "url", placeholder: of ? null : "rtsp://192.168.1.20/stream1" },
    words[1],
  );
  const placeholder = known ? say.cameras.asBefore : null;
  const second = make(
    "div",
    { class: "pair" },
    field(say.cameras.user, { ...PLAIN, name: `${of}user`, value: user, placeholder: say.cameras.userTold }),
    passwordField({ autocomplete: "off", "data-1p-ignore": true, name: `${of}password`, placeholder }),
  );
  const input = /** @type {HTMLInputElement} */ (first.querySelector("input"));
  const takeApart = () => {
    const parts = apart(input.value);
    const [who, secret] = second.querySelectorAll("input");
    if (!parts) return;
    input.value = parts.address;
    who.value = parts.user;
    if (parts.password) secret.value = parts.password;
  };
  input.addEventListener("change", takeApart);
  input.addEventListener("input", (event) => {
    if (event instanceof InputEvent && event.inputType === "insertFromPaste") takeApart();
  });
  return { address: first, login: second };
}

/**
 * Say at a field what is wrong with it, and go there. False where no field is meant.
 *
 * @param {HTMLFormElement} form
 * @param {string} told of the recorder: "name: it is taken"
 * @param {string} [named] the field, where that is known
 */
export function wrong(form, told, named = "") {
  const [, name, why] = /^(\w+): (.*)$/s.exec(told) ?? [];
  const wanted = named || NAMES[name] || name || (/^another camera is called/.test(told) ? "name" : "");
  const input = wanted ? form.elements.namedItem(wanted) : null;
  if (!(input instanceof HTMLInputElement)) return false;
  const of = input.closest("details");
  if (of) of.open = true;
  right(input);
  const note = make("span", { class: "complaint wrong", id: `${input.id}-wrong` }, sentence(named ? told : (why ?? told)));
  input.closest(".field")?.append(note);
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", note.id);
  input.addEventListener("input", () => right(input), { once: true });
  input.focus();
  return true;
}

/** @type {Record<string, string>} */
const NAMES = { max_age_s: "days", max_bytes: "gigabytes" };

/** @param {HTMLInputElement} input */
function right(input) {
  input.closest(".field")?.querySelector(".wrong")?.remove();
  input.removeAttribute("aria-invalid");
}

/**
 * What stands in the fields, empty ones too.
 *
 * @param {HTMLFormElement} form
 * @returns {Record<string, string>}
 */
export function fields(form) {
  /** @type {Record<string, string>} */
  const values = {};
  for (const [name, value] of new FormData(form)) if (typeof value === "string") values[name] = value;
  return values;
}
