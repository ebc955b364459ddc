// @ts-check
/**
 * How a player keeps close to what is live, without stopping at every breath of the network. Pure.
 */

const LEAST_S = 0.06;
const STALL_S = 0.1;
const MOST_SPARE_S = 1;
const CALM = 0.005;
const SOONER = 0.05;
const LATE_S = 0.03;
const THERE_S = 0.01;
const LEAP_S = 2;
/** Further behind than this past its goal, it leaps instead of hurrying. */
const JOIN_S = 0.3;
/** The same when it begins, with a key frame that may be older than it need be. */

/**
 * How far behind the newest frame to be: rather more than frames are apart, and as much more as
 * the network has shown to need.
 *
 * @param {number} apart seconds
 * @param {number} [spare] as `spared` gives it
 */
export function goal(apart, spare = 0) {
  return Math.max(LEAST_S, apart * 1.2 + 0.02) + spare;
}

/**
 * How far frames are apart: the longest of late, sooner more than less. What a frame says of its own
 * length is a guess, and rather too long.
 *
 * @param {number} apart seconds, as it was
 * @param {number} passed from the frame before to this one
 */
export function spread(apart, passed) {
  return passed > apart ? passed : apart + (passed - apart) * SOONER;
}

/**
 * What is kept in hand against a network that is not even: more after each time that the picture
 * stood still, less again with time in which it did not.
 *
 * @param {number} spare seconds, as it was
 * @param {number} passed seconds since then
 * @param {boolean} stalled
 */
export function spared(spare, passed, stalled) {
  const left = Math.max(0, spare - passed * CALM);
  return stalled ? Math.min(MOST_SPARE_S, left + STALL_S) : left;
}

/**
 * What to do when the picture on the screen is `behind` the newest one by so many seconds: leap
 * to the goal, or play at that rate. Once it hurries, it does so until it is there.
 *
 * @param {number} behind
 * @param {number} aim as `goal` gives it
 * @param {number} rate at which it plays now
 * @param {boolean} [begins] its first picture has just been shown
 * @returns {{leap: boolean, rate: number}}
 */
export function pace(behind, aim, rate, begins = false) {
  const late = behind - aim;
  if (late > (begins ? JOIN_S : LEAP_S)) return { leap: true, rate: 1 };
  if (late > 0.6) return { leap: false, rate: 1.25 };
  if (late > LATE_S || (rate > 1 && late > THERE_S))
    return { leap: false, rate: rate > 1.1 ? 1.25 : 1.06 };
  return { leap: false, rate: 1 };
}

/**
 * Where to go on when the place of playing lies outside of all that is buffered: the start of the
 * next stretch, or of the last one; null where it is fine.
 *
 * @param {readonly (readonly [number, number])[]} ranges in order
 * @param {number} at
 * @returns {number | null}
 */
export function outOfGap(ranges, at) {
  const near = 0.05;
  if (!ranges.length || ranges.some(([start, end]) => start <= at && at < end - near)) return null;
  const next = ranges.find(([start]) => start > at);
  if (next) return next[0];
  const [start, end] = ranges[ranges.length - 1];
  return at > end + near ? start : null;
}

/**
 * What waits to be taken, at most so many bytes: one that is full takes nothing more.
 *
 * @template {{data: Uint8Array}} Item
 */
export class Queue {
  /** @type {Item[]} */
  #items = [];
  #bytes = 0;

  /** @param {number} most bytes */
  constructor(most) {
    this.most = most;
  }

  /** Whether it was taken in. @param {Item} item */
  put(item) {
    if (this.#bytes + item.data.byteLength > this.most) return false;
    this.#items.push(item);
    this.#bytes += item.data.byteLength;
    return true;
  }

  /** The oldest, or undefined. */
  take() {
    const item = this.#items.shift();
    this.#bytes -= item?.data.byteLength ?? 0;
    return item;
  }
}
