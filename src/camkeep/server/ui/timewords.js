// @ts-check
/** What a timeline says of an instant: recorded, or not and why; clips and events there. Pure. */

import { locale, say } from "./say.js";
import { SECOND, clock, isSameDay, moment } from "./timescale.js";
import { firstAfter } from "./tracks.js";
import { sentence } from "./words.js";

/** @typedef {import("./footage.js").Kept} Kept */
/** @typedef {import("./footage.js").Gap} Gap */
/** @typedef {import("./footage.js").Happened} Happened */
/** @typedef {{id: string, name: string, kept: Kept | null}} Seen */

const SHORT_US = 600 * SECOND;
/** Of shorter gaps the seconds are told. */
const FRESH_US = 5 * SECOND;

/**
 * From when to when nothing was recorded, and why: the cause in the person's language.
 *
 * @param {Gap} gap
 * @param {number} now
 */
export function gapWords({ start, end, lasting, cause, told }, now) {
  const seconds = end - start < SHORT_US;
  const begin = moment(start, now, locale, seconds);
  const day = isSameDay(start, end);
  const until = day ? clock(end, seconds, locale) : moment(end, now, locale, seconds);
  const when = lasting ? say.timeline.since(begin) : say.timeline.gap(begin, until);
  /** @type {Record<string, string>} */
  const causes = say.timeline.causes;
  return `${when}: ${Object.hasOwn(causes, cause) ? causes[cause] : told}.`;
}

/**
 * What is there, in lines; of several cameras with their names, unless it is the same of all.
 * Nothing where all is recorded, or not known.
 *
 * @param {Seen[]} seen
 * @param {number} at
 * @param {number} near instants so near count as there, for what is hardly to be seen
 * @param {number} now
 * @returns {string[]}
 */
export function there(seen, at, near, now) {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const { name, kept } of seen) {
    const words = kept && ofOne(kept, at, near, now);
    if (words) found.set(words, [...(found.get(words) ?? []), name]);
  }
  return [...found].map(([words, names]) =>
    names.length === seen.length ? words : `${say.timeline.names(names)}: ${words}`,
  );
}

/** @param {Kept} kept @param {number} at @param {number} near @param {number} now */
function ofOne({ spans, gaps, removed, until }, at, near, now) {
  const gap = gaps.findLast(({ start, end }) => start - near <= at && at < end + near);
  if (gap && (gap.start <= at || gap.end - gap.start < 4 * near)) return gapWords(gap, now);
  if (isIn(spans, at) || at > until - FRESH_US) return "";
  return isIn(removed, at) ? say.timeline.removed : say.timeline.nothing;
}

/** @param {[number, number][]} spans @param {number} at */
function isIn(spans, at) {
  const span = spans[firstAfter(spans, at)];
  return span !== undefined && span[0] <= at;
}

/**
 * Clips there, and what happened, in lines.
 *
 * @param {Seen[]} seen
 * @param {Happened[]} events
 * @param {number} at
 * @param {number} near
 */
export function besides(seen, events, at, near) {
  const names = new Map(seen.map(({ id, name }) => [id, name]));
  const clips = seen.flatMap(({ kept }) => kept?.clips ?? []);
  const here = clips.filter(({ start, end }) => start <= at && (end === null || at < end));
  const clip = here.map(({ name, held }) => say.timeline.clip(name, held));
  const close = events.filter((event) => Math.abs(event.at - at) <= near).slice(-2);
  const event = close.map(({ at: when, camera, told }) => {
    const name = seen.length > 1 && camera ? `${names.get(camera)}: ` : "";
    return `${clock(when, true, locale)} ${name}${sentence(told)}`;
  });
  return [...new Set([...clip, ...event])];
}

/**
 * The gap that begins next after an instant, or last before it.
 *
 * @param {Seen[]} seen
 * @param {number} at
 * @param {number} direction
 * @returns {Gap | undefined}
 */
export function gapBeside(seen, at, direction) {
  const gaps = seen.flatMap(({ kept }) => kept?.gaps ?? []);
  gaps.sort((one, two) => one.start - two.start);
  return direction > 0
    ? gaps.find(({ start }) => start > at)
    : gaps.findLast(({ start }) => start < at);
}
