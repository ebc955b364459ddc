// @ts-check
/**
 * The scale of the timeline: which part of time is seen, what is marked on it, and how an instant
 * is written. Instants are microseconds since 1970. Pure; the zone is that of whoever looks.
 */

/** @typedef {{from: number, to: number}} Window the part of time that is seen */
/** @typedef {{at: number, day: boolean}} Tick `day`: where a day begins */
/** @typedef {{at: number, x: number, text: string, day: boolean}} Label `day`: among times, a day */
/** @typedef {{ticks: Tick[], minor: number[], labels: Label[]}} Scale */

export const SECOND = 1e6;
const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const SHORTEST = 10 * SECOND;
export const LONGEST = 30 * DAY;

const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14].map((n) => n * DAY),
];
const MONDAY = 4;
/** The first Monday, in days since 1970: steps of weeks begin there. */
const APART = 12;
/** Pixels between two labels at least. */
const BESIDE = 4;
/** Pixels from a tick to its label. */
const MINOR_PX = 7;

/**
 * Nearer (`factor` below 1) or farther, so that the instant `at` stays where it is.
 *
 * @param {Window} window
 * @param {number} factor
 * @param {number} at
 * @returns {Window}
 */
export function zoomed({ from, to }, factor, at) {
  const span = Math.min(LONGEST, Math.max(SHORTEST, (to - from) * factor));
  const start = at - ((at - from) / (to - from)) * span;
  return { from: start, to: start + span };
}

/**
 * Where `at` lies between two parts of the window, `low` and `high` of 0 to 1: the same window where
 * it does, else one moved so far that it does.
 *
 * @param {Window} window
 * @param {number} at
 * @param {number} low
 * @param {number} high
 * @returns {Window}
 */
export function followed(window, at, low, high) {
  const span = window.to - window.from;
  const share = (at - window.from) / span;
  if (share >= low && share <= high) return window;
  const from = at - (share < low ? low : high) * span;
  return { from, to: from + span };
}

/**
 * What is marked on the window, and written. No two labels touch, and none goes over the end; a
 * date is written where a day begins, and at the left for the day that began before.
 *
 * @param {Window} window
 * @param {number} width pixels
 * @param {string} [locale]
 * @param {(text: string) => number} [measure] pixels that a label takes
 * @returns {Scale}
 */
export function scale(window, width, locale, measure = (text) => 7 * text.length) {
  const { from, to } = window;
  const perPixel = (to - from) / width;
  const room = (/** @type {string} */ text) => (measure(text) + BESIDE + APART) * perPixel;
  const written = (/** @type {number} */ step) => {
    if (step >= DAY) return dayOf(from, false, locale);
    return step < MINUTE ? "00:00:00" : "00:00";
  };
  const step = STEPS.find((each) => each >= room(written(each))) ?? 14 * DAY;
  const weekdays = step < DAY || (step === DAY && step >= room(dayOf(from, true, locale)));
  const ticks = ticksOf(from, to, step);
  const least = STEPS.find((each) => each >= MINOR_PX * perPixel && step % each === 0);
  const minor = !least || least === step ? [] : ticksOf(from, to, least).map(({ at }) => at);
  /** @param {Tick} tick @returns {Label} */
  const label = ({ at, day }) => {
    const text = day ? dayOf(at, weekdays, locale) : clock(at, step < MINUTE, locale);
    return { at, day: day && step < DAY, text, x: (at - from) / perPixel + BESIDE };
  };
  const wanted = ticks.map(label);
  if (step < DAY) wanted.push({ at: from, day: true, text: dayOf(from, true, locale), x: BESIDE });
  else for (const tick of ticks) tick.day = false;
  return { ticks, minor, labels: apart(wanted, width, measure) };
}

/**
 * Those that there is room for: days before times, and of these what stands there twice.
 *
 * @param {Label[]} wanted
 * @param {number} width
 * @param {(text: string) => number} measure
 */
function apart(wanted, width, measure) {
  const order = (/** @type {Label} */ { day, text }) => (day ? 0 : text.length > 8 ? 1 : 2);
  /** @type {(Label & {end: number})[]} */
  const found = [];
  for (const label of wanted.toSorted((one, two) => order(one) - order(two))) {
    const end = label.x + measure(label.text);
    const free = found.every((each) => each.x >= end + APART || each.end + APART <= label.x);
    if (free && end <= width) found.push({ ...label, end });
  }
  return found.sort((one, two) => one.x - two.x).map(({ at, x, text, day }) => ({ at, x, text, day }));
}

/**
 * Instants at which the clock of whoever looks shows a multiple of `step`, ascending.
 *
 * @param {number} from
 * @param {number} to
 * @param {number} step
 * @returns {Tick[]}
 */
function ticksOf(from, to, step) {
  /** @type {Tick[]} */
  const found = [];
  let today = -Infinity; // the last day that is known to have begun
  const add = (/** @type {number} */ at, /** @type {number} */ day) => {
    const begins = Number.isInteger(day) && day > today;
    if (begins) today = day;
    const whole = begins && (day - MONDAY) % Math.max(1, step / DAY) === 0;
    if (whole || step < DAY) found.push({ at, day: begins });
  };
  for (const { start, end, offset } of pieces(from, to)) {
    const stride = Math.min(step, DAY);
    let at = Math.ceil((start + offset) / stride) * stride - offset;
    if (midnightSkipped(start, offset)) {
      add(start, Math.floor((start + offset) / DAY));
      if (at === start) at += stride;
    }
    for (; at < end; at += stride) add(at, (at + offset) / DAY);
  }
  return found;
}

/**
 * Whether the clock goes over midnight as it is set forward there.
 *
 * @param {number} at
 * @param {number} offset from then on
 */
function midnightSkipped(at, offset) {
  const before = offsetOf(at - SECOND);
  return before < offset && Math.floor((at - 1 + before) / DAY) < Math.floor((at + offset) / DAY);
}

/**
 * Parts in which the clock is not set forward or back.
 *
 * @param {number} from
 * @param {number} to
 */
function pieces(from, to) {
  const found = [];
  let start = from;
  let low = from;
  let offset = offsetOf(from);
  while (start < to) {
    const high = Math.min(low + DAY, to);
    if (offsetOf(high) !== offset || high === to) {
      const end = offsetOf(high) === offset ? to : turn(low, high);
      found.push({ start, end, offset });
      [start, low, offset] = [end, end, offsetOf(end)];
    } else low = high;
  }
  return found;
}

/** The first instant at which the clock is another than at `low`. @param {number} low @param {number} high */
function turn(low, high) {
  const offset = offsetOf(low);
  let [before, after] = [Math.floor(low / SECOND), Math.ceil(high / SECOND)];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetOf(middle * SECOND) === offset) before = middle;
    else after = middle;
  }
  return after * SECOND;
}

/** How far local time is ahead of UTC. @param {number} at */
function offsetOf(at) {
  return -new Date(at / 1000).getTimezoneOffset() * MINUTE;
}

/** Whether the clock shows the same once more that day, before or after. @param {number} at */
function twice(at) {
  const offset = offsetOf(at);
  return [at - DAY / 8, at + DAY / 8].some((near) => {
    const other = offsetOf(near);
    return other !== offset && offsetOf(at + offset - other) === other;
  });
}

/**
 * The time of day: 14:03:05. In an hour that comes twice with the name of its zone.
 *
 * @param {number} at
 * @param {boolean} [seconds]
 * @param {string} [locale]
 */
export function clock(at, seconds = true, locale) {
  const date = new Date(at / 1000);
  const parts = [date.getHours(), date.getMinutes(), ...(seconds ? [date.getSeconds()] : [])];
  const time = parts.map((part) => String(part).padStart(2, "0")).join(":");
  return twice(at) ? `${time} ${zoneName(date, locale)}` : time;
}

/** @param {Date} date @param {string | undefined} locale */
function zoneName(date, locale) {
  const parts = formatOf({ timeZoneName: "short" }, locale).formatToParts(date);
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
}

/**
 * A day: 25 Nov, with the weekday where that is wanted.
 *
 * @param {number} at
 * @param {boolean} weekday
 * @param {string} [locale]
 */
export function dayOf(at, weekday, locale) {
  const wish = { day: "numeric", month: "short", ...(weekday && { weekday: "short" }) };
  return formatOf(/** @type {Intl.DateTimeFormatOptions} */ (wish), locale).format(at / 1000);
}

/**
 * An instant, with its day where that is not today.
 *
 * @param {number} at
 * @param {number} now
 * @param {string} [locale]
 * @param {boolean} [seconds]
 */
export function moment(at, now, locale, seconds = true) {
  const time = clock(at, seconds, locale);
  return isSameDay(at, now) ? time : `${dayOf(at, true, locale)}, ${time}`;
}

/** @param {number} one @param {number} other */
export function isSameDay(one, other) {
  return new Date(one / 1000).toDateString() === new Date(other / 1000).toDateString();
}

/** Made once: they are slow to make. @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {Intl.DateTimeFormatOptions} wish @param {string | undefined} locale */
function formatOf(wish, locale) {
  const key = `${locale} ${Object.keys(wish)}`;
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.DateTimeFormat(locale, wish)));
  return format;
}
