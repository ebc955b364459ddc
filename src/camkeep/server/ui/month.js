// @ts-check
/** Months of a calendar, in the time zone and by the weeks of whoever looks. Pure. */

/** @typedef {{year: number, month: number}} Month `month` from 0 */

/** The month of an instant. @param {number} us @returns {Month} */
export function monthOf(us) {
  const at = new Date(us / 1000);
  return { year: at.getFullYear(), month: at.getMonth() };
}

/** @param {Month} of @param {number} months @returns {Month} */
export function moved({ year, month }, months) {
  return monthOf(new Date(year, month + months).getTime() * 1000);
}

/** Its first instant. @param {Month} of */
export function begins({ year, month }) {
  return new Date(year, month).getTime() * 1000;
}

/** Its days in six weeks, which begin at a weekday: 0 for those of other months. @param {Month} of @param {number} first 1 for Monday, 7 for Sunday @returns {number[][]} */
export function weeksOf({ year, month }, first) {
  const before = (new Date(year, month, 1).getDay() - first + 7) % 7;
  const days = new Date(year, month + 1, 0).getDate();
  return Array.from({ length: 6 }, (_, week) =>
    Array.from({ length: 7 }, (_, n) => week * 7 + n - before + 1).map((day) => (day < 1 || day > days ? 0 : day)),
  );
}

/** As the recorder writes a day: 2026-11-05. @param {Month} of @param {number} day */
export function dayName({ year, month }, day) {
  return [year, month + 1, day].map((part) => String(part).padStart(2, "0")).join("-");
}

/** With which day a week begins there: 1 for Monday. @param {string} locale @returns {number} */
export function firstDay(locale) {
  const of = /** @type {any} */ (new Intl.Locale(locale)); // some have it as a method, some not, some not at all
  return (of.getWeekInfo?.() ?? of.weekInfo)?.firstDay ?? 1;
}
