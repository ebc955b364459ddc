// @ts-check
/** Finding clips by what somebody types: a name, a camera, a day. Pure, but for its language. */

import { locale } from "./say.js";

/** @typedef {import("./api.js").Clip & {cameras: string[], held: boolean}} Clip */

const DAY_MS = 86_400_000;
/** As somebody may write a day. */
const WAYS = [
  new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short" }),
  new Intl.DateTimeFormat(locale, { dateStyle: "medium" }),
  new Intl.DateTimeFormat(locale, { dateStyle: "short" }),
  new Intl.DateTimeFormat("sv-SE"),
];
const NEAR = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

/** All that can be typed to find it. @param {Clip} clip @param {string[]} cameras their names @param {number} nowMs */
export function findable({ name, start_us }, cameras, nowMs) {
  const at = new Date(start_us / 1000);
  const days = Math.round((new Date(at).setHours(0, 0, 0, 0) - new Date(nowMs).setHours(0, 0, 0, 0)) / DAY_MS);
  const day = days > -3 ? NEAR.format(days, "day") : "";
  return plain([name, ...cameras, day, ...WAYS.map((way) => way.format(at))].join(" "));
}

/** Whether each word is in it. @param {string} text @param {string} typed */
export function fits(text, typed) {
  return plain(typed).split(/\s+/).every((word) => text.includes(word));
}

/** Without accents and capitals. @param {string} text */
function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase(locale);
}
