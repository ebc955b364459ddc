// @ts-check
/**
 * All that is said to people, in their language: `say.app.watch`. The words themselves stand in
 * en.js and de.js. What the recorder says (why a camera refused us) stays as it came.
 */

import { en } from "./en.js";

/** Where a browser keeps the language that was chosen; nothing stands there for its own. */
export const KEPT_AS = "camkeep.language";

/** @type {Record<string, string>} */
export const LANGUAGES = { en: "English", de: "Deutsch" };

/** @returns {string} */
function chosen() {
  const wishes = [kept(), ...navigator.languages].map((wish) => wish.slice(0, 2).toLowerCase());
  return wishes.find((wish) => Object.hasOwn(LANGUAGES, wish)) ?? "en";
}

function kept() {
  try {
    return localStorage.getItem(KEPT_AS) ?? "";
  } catch {
    return ""; // a browser that keeps nothing
  }
}

/** @type {string} */
export const language = chosen();

/** For dates and numbers: the browser's own kind of the language, where it is of that language. */
export const locale = navigator.languages.find((wish) => wish.startsWith(language)) ?? language;

export const say = language === "de" ? (await import("./de.js")).de : en;

document.documentElement.lang = language;
