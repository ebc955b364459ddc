// @ts-check
/** A value that is shown this once, and can be taken along: also where the page came over plain http. */

import { make, write } from "./dom.js";
import { say } from "./say-more.js";

/**
 * A field with a value that nobody can change, and a button that copies it.
 *
 * @param {string} label what it is
 * @param {string} value
 * @param {string} [hint] a sentence below it
 */
export function copyable(label, value, hint = "") {
  const field = make("input", { readonly: true, "aria-label": label, class: "secret", spellcheck: "false" });
  field.value = value;
  field.addEventListener("focus", () => field.select());
  const button = make("button", { type: "button", class: "primary" }, say.people.copy);
  const told = make("span", { class: "hint", role: "status" }, hint);
  button.addEventListener("click", async () => {
    write(told, (await copied(field)) ? say.people.copied : say.people.copyByHand);
  });
  return make("div", { class: "once" }, make("b", {}, label), field, button, told);
}

/** Browsers give the clipboard only to pages that came over TLS; the old way works everywhere. @param {HTMLInputElement | HTMLTextAreaElement} field */
export async function copied(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.focus();
    field.select();
    return document.execCommand("copy");
  }
}
