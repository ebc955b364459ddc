// @ts-check
/** Amounts as people say them: parts, lengths of time. Pure, but for their language. */

import { locale } from "./say.js";

/** A part of the whole: never 100 % where something is missing. @param {number} share 0 to 1 */
export function percent(share) {
  const shown = share < 1 ? Math.floor(share * 1000) / 1000 : 1;
  return shown.toLocaleString(locale, { style: "percent", maximumFractionDigits: 1 });
}

/** How long: 21 h 12 min, 4 min 8 s. @param {number} us */
export function lasted(us) {
  const all = Math.max(1, Math.round(us / 1e6));
  if (all < 60) return `${all} s`;
  const seconds = all < 600 ? all % 60 : 0;
  const minutes = all < 600 ? Math.floor(all / 60) : Math.round(all / 60);
  if (minutes < 60) return `${minutes} min${seconds ? ` ${seconds} s` : ""}`;
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ""}`;
}

/** @type {[number, string, number][]} */
const UNITS = [[730.5, "year", 365.25], [1, "day", 1], [1 / 24, "hour", 1 / 24], [0, "minute", 1 / 1440]];

/** About how long, in one round figure: 12 days. @param {number} days */
export function roughly(days) {
  const [, unit, size] = UNITS.find(([least]) => days >= least) ?? UNITS[3];
  const count = Math.max(1, days / size);
  const digits = count < 3 && unit !== "minute" ? 1 : 0;
  return count.toLocaleString(locale, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: digits });
}

/** Of a number. @param {number} count @param {number} [digits] at most so many after the point */
export function figure(count, digits = 0) {
  return count.toLocaleString(locale, { maximumFractionDigits: digits });
}
