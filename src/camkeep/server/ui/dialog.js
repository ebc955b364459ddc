// @ts-check
/** A question that must be answered first. Only where nothing can be undone. */

import { make } from "./dom.js";
import { say } from "./say.js";

/**
 * Ask; false where the person left without an answer.
 *
 * @param {string} title
 * @param {import("./dom.js").Child[]} content
 * @param {{ok: string, danger?: boolean}} wish
 * @returns {Promise<boolean>}
 */
export function ask(title, content, { ok, danger = false }) {
  const yes = make("button", { value: "yes", class: danger ? "danger" : "primary" }, ok);
  const no = make("button", { value: "" }, say.app.cancel);
  const dialog = make(
    "dialog",
    { "aria-labelledby": "question" },
    make(
      "form",
      { method: "dialog" },
      make("h1", { id: "question" }, title),
      ...content,
      make("div", { class: "buttons" }, yes, no),
    ),
  );
  const before = document.activeElement;
  document.body.append(dialog);
  dialog.showModal();
  if (danger) no.focus();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement) before.focus();
      answer(dialog.returnValue === "yes");
    });
  });
}
