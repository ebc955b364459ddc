// @ts-check
/**
 * A short message at the bottom of the page, with a way back where there is one. One at a time:
 * the next replaces it. It stays while the pointer or the focus is in it.
 */

import { icon, make } from "./dom.js";
import { say } from "./say.js";

const SHORT_MS = 5000;
const LONG_MS = 12_000;

/** @typedef {{word: string, do: () => unknown}} Action */

/** @type {HTMLElement | null} */
let place = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Tell something to the person.
 *
 * @param {string} text
 * @param {{undo?: () => unknown, action?: Action, trouble?: boolean}} [more]
 */
export function tell(text, { undo, action, trouble = false } = {}) {
  const acts = [...(action ? [action] : []), ...(undo ? [{ word: say.app.undo, do: undo }] : [])];
  const buttons = acts.map((act) => {
    const pressed = () => {
      hide();
      act.do();
    };
    return make("button", { type: "button", class: "act", onclick: pressed }, act.word);
  });
  const close = { type: "button", class: "plain", "aria-label": say.app.dismiss, onclick: hide };
  const where = toasts();
  where.replaceChildren(
    make(
      "div",
      { class: trouble ? "toast trouble" : "toast" },
      trouble && icon("trouble"),
      make("span", {}, text),
      ...buttons,
      make("button", close, icon("close")),
    ),
  );
  wait(acts.length || trouble ? LONG_MS : SHORT_MS);
}

function hide() {
  clearTimeout(timer);
  place?.replaceChildren();
}

/** @param {number} ms */
function wait(ms) {
  clearTimeout(timer);
  timer = setTimeout(() => (place?.matches(":hover, :focus-within") ? wait(ms) : hide()), ms);
}

/** The part of the page that screen readers listen to must be there before anything is said. */
export function toasts() {
  place ??= make("div", { class: "toasts", role: "status" });
  if (!place.isConnected) document.body.append(place);
  return place;
}
