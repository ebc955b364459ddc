// @ts-check
/**
 * The hole that playback comes to next: time of which no camera has footage. It is looked up
 * before it is reached, so that it can be passed over without a break.
 */

import { Trouble, now } from "./api.js";

/** @typedef {import("./footage.js").Gap} Gap */
/** @typedef {{at: number, gap: Gap | null, removed: boolean}} Found */
/**
 * Where footage ends (`lo`), and begins again (`hi`); null: nowhere any more.
 * @typedef {{ids: string, direction: number, from: number, asked: number, lo: number | null, hi: number | null, gap: Gap | null, removed: boolean}} Hole
 */

const SHORT_US = 1e6;
/** Shorter ones are played: the last picture stays for so long. */
const AGAIN_MS = 500;
const AHEAD_US = 3600e6;
/** Some cameras' clocks were set; what they recorded may lie ahead of now. */

export class Holes {
  /** @type {Hole | null} */
  #next = null;
  #asking = false;
  #askedAt = -Infinity;

  /** @param {{next: (ids: string[], at: number, direction: number) => Promise<Found | null>}} footage */
  constructor(footage) {
    this.footage = footage;
  }

  /** How far playback has come that was to be at `at`: not into a hole. @param {number} at @param {number} rate */
  before(at, rate) {
    const hole = this.#next;
    if (!hole || hole.direction !== Math.sign(rate) || !isLong(hole)) return at;
    const [lo, hi] = [hole.lo ?? -Infinity, hole.hi ?? Infinity];
    if (rate > 0) return hole.from <= at && at >= lo && at < hi ? Math.max(lo - 1, hole.from) : at;
    return at <= hole.from && at < hi && at >= lo ? Math.min(hi, hole.from) : at;
  }

  /**
   * The hole where playback is, if it is in one: `to` is where to go on, null where nothing more
   * comes.
   *
   * @param {string[]} cameras
   * @param {number} at
   * @param {number} rate
   */
  at(cameras, at, rate) {
    const hole = this.#next;
    const direction = Math.sign(rate);
    const known = hole && hole.ids === String(cameras) && hole.direction === direction && isAhead(hole, at);
    if (!known) {
      void this.#ask(cameras, at, direction);
      return null;
    }
    const inside = direction > 0 ? at >= (hole.lo ?? 0) - 1 : at <= (hole.hi ?? Infinity);
    if (!inside || !isLong(hole)) return null;
    const open = direction > 0 && hole.hi === null; // what is being recorded goes on meanwhile
    if (open && performance.now() - hole.asked > AGAIN_MS) {
      void this.#ask(cameras, at, direction);
      return null;
    }
    const { gap, removed, lo, hi } = hole;
    return { gap, removed, to: direction > 0 ? hi : lo && lo - 1 };
  }

  forget() {
    this.#next = null;
    this.#askedAt = -Infinity;
  }

  /** @param {string[]} ids @param {number} from @param {number} direction */
  async #ask(ids, from, direction) {
    const asked = performance.now();
    if (this.#asking || !ids.length || asked - this.#askedAt < AGAIN_MS / 4) return;
    this.#asking = true;
    this.#askedAt = asked;
    try {
      const found = await this.footage.next(ids, from, direction);
      const other = await this.footage.next(ids, ...opposite(found, direction));
      const [lo, hi] = direction > 0 ? [other, found] : [found, other];
      const { gap = null, removed = false } = found ?? {};
      const edges = { lo: lo?.at ?? null, hi: hi?.at ?? null };
      this.#next = { ids: String(ids), direction, from, asked: performance.now(), gap, removed, ...edges };
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.#askedAt = asked + 4 * AGAIN_MS; // it plays on; whether there are holes shows later
    } finally {
      this.#asking = false;
    }
  }
}

/** Where to look for the hole's other edge. @param {Found | null} found @param {number} direction @returns {[number, number]} */
function opposite(found, direction) {
  if (direction > 0) return [found?.at ?? now() * 1000 + AHEAD_US, -1];
  return [found?.at ?? 0, 1];
}

/** @param {Hole} hole */
function isLong({ lo, hi }) {
  return lo === null || hi === null || hi - lo >= SHORT_US;
}

/** Whether it comes next from there, or is there. @param {Hole} hole @param {number} at */
function isAhead({ direction, from, lo, hi }, at) {
  if (direction > 0) return at >= from && at < (hi ?? Infinity);
  return at <= from && at > (lo ?? -Infinity) - 1;
}
