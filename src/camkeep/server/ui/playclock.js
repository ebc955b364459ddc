// @ts-check
/** The clock of playback, and the rates at which it may run. Pure. Instants are microseconds. */

export const RATES = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64];

/** Time that runs at any rate, either way, or stands. */
export class PlayClock {
  /** Of time for each millisecond of `nowMs`; 0: it stands. */
  #speed = 0;
  #at = 0;
  #since = 0;

  /** @param {number} nowMs of a clock that only goes on */
  at(nowMs) {
    return Math.round(this.#at + (nowMs - this.#since) * 1000 * this.#speed);
  }

  /** It is that instant now. @param {number} at @param {number} nowMs */
  set(at, nowMs) {
    this.#at = at;
    this.#since = nowMs;
  }

  /** Go on at another rate from here. @param {number} rate @param {number} nowMs */
  run(rate, nowMs) {
    if (rate === this.#speed) return;
    this.set(this.at(nowMs), nowMs);
    this.#speed = rate;
  }
}

/**
 * The rate after L (`direction` 1) or J (-1) was pressed: the first press plays that way, each
 * other is twice as fast.
 *
 * @param {number} rate
 * @param {boolean} playing
 * @param {number} direction
 */
export function faster(rate, playing, direction) {
  if (!playing || Math.sign(rate) !== direction) return direction;
  return direction * Math.min(RATES[RATES.length - 1], Math.abs(rate) * 2);
}

/**
 * Who waits for pictures, and whether time waits with them: not longer than `most` for each, so
 * that one that never comes does not stop the others.
 *
 * @template Player
 */
export class Holds {
  /** When they began to wait. @type {Map<Player, number>} */
  #since = new Map();

  /** @param {number} most milliseconds */
  constructor(most) {
    this.most = most;
  }

  /** @param {Player} player @param {boolean} waits @param {number} nowMs */
  set(player, waits, nowMs) {
    if (!waits) this.#since.delete(player);
    else if (!this.#since.has(player)) this.#since.set(player, nowMs);
  }

  /** @param {number} nowMs */
  holds(nowMs) {
    return [...this.#since.values()].some((since) => nowMs - since < this.most);
  }

  /** All may wait anew. */
  clear() {
    this.#since.clear();
  }
}
