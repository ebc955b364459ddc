// @ts-check
/**
 * Hours of the week, as the recorder writes them: `mon-fri 08:00-18:00`, `daily 22:00-06:00`.
 * Where the end is not later than the start, it is on the day after. Pure.
 */

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** @typedef {{days: boolean[], start: string, end: string}} Interval Monday first */

/** @param {string} text @returns {Interval} */
export function parse(text) {
  const [days, times] = text.toLowerCase().split(/\s+/);
  const [start, end] = times.split("-");
  const on = DAYS.map(() => days === "daily");
  for (const part of days === "daily" ? [] : days.split(",")) {
    const [first, last = first] = part.split("-").map((day) => DAYS.indexOf(day));
    for (let n = 0; n <= (last - first + 7) % 7; n++) on[(first + n) % 7] = true;
  }
  return { days: on, start: start.padStart(5, "0"), end: end === "24:00" ? "00:00" : end.padStart(5, "0") };
}

/** As short as it can be said. @param {Interval} interval */
export function text({ days, start, end }) {
  return `${days.every(Boolean) ? "daily" : runs(days)} ${start}-${end}`;
}

/** @param {boolean[]} days */
function runs(days) {
  const found = [];
  for (let first = 0; first < 7; first++) {
    if (!days[first]) continue;
    let last = first;
    while (days[last + 1]) last++;
    const between = last - first > 1 ? "-" : ",";
    found.push(last === first ? DAYS[first] : DAYS[first] + between + DAYS[last]);
    first = last;
  }
  return found.join(",");
}

/** Whether two schedules say the same in the same order. @param {string[]} one @param {string[]} other */
export function same(one, other) {
  const plain = (/** @type {string[]} */ all) => all.map((each) => text(parse(each))).join();
  return plain(one) === plain(other);
}

/**
 * For each day, from Monday, which parts of it are covered: from and to within 0 to 1.
 *
 * @param {Interval[]} intervals
 * @returns {[number, number][][]}
 */
export function covered(intervals) {
  /** @type {[number, number][][]} */
  const week = DAYS.map(() => []);
  for (const { days, start, end } of intervals) {
    const [from, to] = [share(start), share(end)];
    days.forEach((on, day) => {
      if (!on) return;
      if (to > from) week[day].push([from, to]);
      else {
        week[day].push([from, 1]);
        if (to > 0) week[(day + 1) % 7].push([0, to]);
      }
    });
  }
  return week;
}

/** @param {string} time */
function share(time) {
  const [hours, minutes] = time.split(":").map(Number);
  return (hours * 60 + minutes) / 1440;
}
