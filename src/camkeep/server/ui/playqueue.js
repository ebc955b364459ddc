// @ts-check
/**
 * What a player has of a camera, and what it should fetch next. Pure. Instants are microseconds
 * since 1970; spans are pairs of them, in order, that touch nowhere.
 */

/** @typedef {[number, number]} Span */

const NEAR_US = 2000;
/** What is nearer to each other than this touches: media times are rounded. */
const SHORT_US = 1e6;
/** In holes shorter than this the last picture stays. */
export const NATIVE = 4;
/** Up to this rate all frames are played; backward up to half of it. */
const SHOWN = 8;
/** Key frames a second of the screen, at higher rates. */
const BYTES = 64e6;
const KEEP_US = 30e6;

/** @param {Span[]} spans @param {number} start @param {number} end @returns {Span[]} */
function added(spans, start, end) {
  if (end <= start) return spans;
  const near = spans.filter((span) => span[1] >= start - NEAR_US && span[0] <= end + NEAR_US);
  const whole = /** @type {Span} */ ([
    Math.min(start, ...near.map((span) => span[0])),
    Math.max(end, ...near.map((span) => span[1])),
  ]);
  return [...spans.filter((span) => !near.includes(span)), whole].sort((one, two) => one[0] - two[0]);
}

/** What of `spans` lies in any of `others`. @param {Span[]} spans @param {Span[]} others @returns {Span[]} */
function shared(spans, others) {
  const parts = spans.flatMap((span) =>
    others.map((other) => /** @type {Span} */ ([Math.max(span[0], other[0]), Math.min(span[1], other[1])])),
  );
  return parts.filter(([start, end]) => start < end).sort((one, two) => one[0] - two[0]);
}

/** @param {Span[]} spans @param {number} at */
const spanAt = (spans, at) => spans.find(([start, end]) => start <= at && at < end);

/** The frames that a player has, and where it knows that there are none. */
export class Tape {
  /** When they were taken, in order. @type {number[]} */
  frames = [];
  /** @type {Span[]} Where there are frames. */
  spans = [];
  /** @type {Span[]} Where it is known what there is. */
  known = [];
  bytes = 0;

  /** These frames are there now, up to `end`. @param {number[]} frames @param {number} end @param {number} bytes */
  add(frames, end, bytes) {
    this.spans = added(this.spans, frames[0], end);
    this.known = added(this.known, frames[0], end);
    this.bytes += bytes;
    const last = this.frames[this.frames.length - 1] ?? -Infinity;
    this.frames = [...this.frames, ...frames];
    if (frames[0] > last + NEAR_US) return;
    this.frames.sort((one, two) => one - two);
    this.frames = this.frames.filter((frame, n, all) => n === 0 || frame - all[n - 1] > NEAR_US / 2);
  }

  /** It is known now what there is between the two. @param {number} start @param {number} end */
  learn(start, end) {
    this.known = added(this.known, start, end);
  }

  /** Only what lies in `spans` is left. @param {Span[]} spans */
  keep(spans) {
    const before = length(this.spans);
    const lost = this.spans;
    this.spans = shared(this.spans, spans);
    const after = length(this.spans);
    if (after === before) return;
    this.known = shared(this.known, [...without(lost, this.spans, this.known), ...this.spans]);
    this.frames = this.frames.filter((frame) => spanAt(this.spans, frame));
    this.bytes *= after / before;
  }

  clear() {
    Object.assign(this, { frames: [], spans: [], known: [], bytes: 0 });
  }

  /** @param {number} at */
  knows(at) {
    return spanAt(this.known, at) !== undefined;
  }

  /** The frame that is on show then; null where there is none. @param {number} at @returns {number | null} */
  frameAt(at) {
    const frame = this.frames[this.#index(at)];
    if (frame === undefined) return null;
    if (spanAt(this.spans, at)) return frame;
    const known = spanAt(this.known, at);
    if (!known || frame < known[0]) return null;
    const end = this.spans.findLast((span) => span[1] <= at)?.[1] ?? -Infinity;
    const next = this.spans.find((span) => span[0] > at)?.[0] ?? Infinity;
    return next <= known[1] && next - end < SHORT_US ? frame : null;
  }

  /** The frame after or before the one that is on show; null where that is not known. @param {number} at @param {number} direction */
  beside(at, direction) {
    const index = this.#index(at);
    const frame = this.frames[index + direction];
    const known = spanAt(this.known, at);
    return known && frame >= known[0] && frame < known[1] ? frame : null;
  }

  /** How far it is known what there is, from an instant on. @param {number} at @param {number} direction */
  reach(at, direction) {
    const known = spanAt(this.known, at);
    return known ? known[direction > 0 ? 1 : 0] : at;
  }

  /** How long footage may be, at the rate of bytes that comes. @param {number} bytes */
  room(bytes) {
    return this.bytes ? (bytes * length(this.spans)) / this.bytes : Infinity;
  }

  /** How many frames are at or before it, less one. @param {number} at */
  #index(at) {
    let [low, high] = [0, this.frames.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.frames[middle] <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** @param {Span[]} spans */
const length = (spans) => spans.reduce((sum, [start, end]) => sum + end - start, 0);

/** What of `known` lies in none of `lost`, but for what is `left` of them. @param {Span[]} lost @param {Span[]} left @param {Span[]} known @returns {Span[]} */
function without(lost, left, known) {
  const edges = [-Infinity, ...lost.flat(), Infinity];
  const between = edges.flatMap((edge, n) => (n % 2 ? [] : [/** @type {Span} */ ([edge, edges[n + 1]])]));
  return left.length ? shared(known, between) : [];
}

/** What is played of the footage: all, or key frames so many seconds apart. @param {number} rate 0 where it stands */
export function densityOf(rate) {
  const all = rate <= NATIVE && rate >= -NATIVE / 2;
  return all ? "all" : `key&every=${Math.abs(rate) / SHOWN}`;
}

/**
 * What to fetch next: from when to when, and in which direction it comes; null: there is enough.
 *
 * @typedef {{from: number, to: number, back: boolean}} Wish
 */

/**
 * @param {Tape} tape
 * @param {number} at
 * @param {number} rate 0 where it stands
 * @param {boolean} brief somebody drags: only the frame, and what decoders that reorder wait for
 * @returns {Wish | null}
 */
export function wishFor(tape, at, rate, brief = false) {
  const speed = Math.max(1, Math.abs(rate));
  const all = densityOf(rate) === "all";
  const long = Math.min((all ? 10e6 : 4e6) * speed, tape.room(BYTES / 4));
  if (rate < 0) {
    if (all && !tape.knows(at)) return { from: at, to: at + 1, back: false };
    const start = tape.reach(at, -1);
    const to = tape.knows(at) ? start : at + 1;
    if (to < 1 || at - start > long * 0.6) return null;
    return { from: Math.max(0, Math.round(to - long)), to, back: !all };
  }
  const end = tape.reach(at, 1);
  if (brief || !rate) return tape.knows(at) ? null : { from: at, to: at + (brief ? 6e5 : 1e6), back: false };
  if (end - at > long * 0.4) return null;
  return { from: end, to: Math.round(end + long), back: false };
}

/** Whether what is being fetched brings what is wished for. @param {Wish} flight @param {Wish} wish */
export function brings(flight, wish) {
  const next = wish.back || wish.to <= flight.to ? wish.to - 1 : wish.from;
  return flight.from <= next && next < flight.to;
}

/** What to keep around the cursor. @param {Tape} tape @param {number} at @param {number} rate @returns {Span} */
export function keeping(tape, at, rate) {
  const keep = Math.min(KEEP_US * Math.max(1, Math.abs(rate)), tape.room(BYTES / 2));
  return [at - keep, at + keep];
}
