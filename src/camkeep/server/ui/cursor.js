// @ts-check
/**
 * The one cursor in time: live, or at an instant. Every view shows its cameras there.
 *
 * Events: `change` when it is live or not, plays or not, at another rate, or has leapt; `jumped`
 * ({from, to, told}) when it has passed over time of which no camera has footage.
 */

import { Trouble, call, now } from "./api.js";
import { footage } from "./footage.js";
import { Holes } from "./holes.js";
import { Holds, PlayClock } from "./playclock.js";
import { say } from "./say.js";
import { gapWords } from "./timewords.js";

/**
 * What shows a camera at the cursor.
 * @typedef {object} Player
 * @property {string} id of the camera
 * @property {boolean} gone it has no picture there
 * @property {(at: number, direction: number) => Promise<number | null>} beside when the frame
 *   after or before was taken; null where there is none next to it
 */

const LIVE_US = 1e6;
/** Nearer to now than this is live. */
const HOLD_MS = 3000;
const TICK_MS = 100;
const PASSED_US = 2e6;
/** Who goes to the event before while it plays does not mean the one that was just passed. */
const EVENTS = 100;

class Cursor extends EventTarget {
  live = true;
  playing = true;
  rate = 1;
  /** Somebody drags. */
  scrubs = false;
  /** @type {Set<Player>} */
  players = new Set();

  /** @type {string[]} */
  #cameras = [];
  #clock = new PlayClock();
  /** @type {Holds<object>} */
  #holds = new Holds(HOLD_MS);
  #holes = new Holes(footage);
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  /** Steps one after the other. @type {Promise<unknown>} */
  #stepping = Promise.resolve();

  constructor() {
    super();
    document.addEventListener("visibilitychange", () => this.#run());
  }

  /** Of those that are seen now. */
  get cameras() {
    return this.#cameras;
  }

  set cameras(ids) {
    if (String(ids) === String(this.#cameras)) return;
    this.#cameras = ids;
    this.#holes.forget();
    this.dispatchEvent(new Event("change"));
  }

  /** Microseconds since 1970, by the recorder's clock. */
  get at() {
    if (this.live) return now() * 1000;
    const at = this.#clock.at(performance.now());
    return this.playing && !this.scrubs ? this.#holes.before(at, this.rate) : at;
  }

  /** Whether time goes on at this moment. */
  get moves() {
    const stands = this.live || !this.playing || this.scrubs || document.hidden;
    return !stands && !this.#holds.holds(performance.now());
  }

  /**
   * Go there: live, where that is now. `scrub`: somebody drags, and it stands until `settle`.
   *
   * @param {number} us
   * @param {{scrub?: boolean}} [how]
   */
  seek(us, { scrub = false } = {}) {
    this.scrubs = scrub;
    if (us >= now() * 1000 - LIVE_US) {
      this.#be({ live: true, playing: true, rate: 1 });
      return;
    }
    this.#holds.clear();
    this.#be({ live: false }, Math.max(0, Math.round(us)));
  }

  /** Nobody drags any more. */
  settle() {
    this.scrubs = false;
    this.#be({});
  }

  goLive() {
    this.seek(Infinity);
  }

  /** @param {number} rate */
  play(rate = 1) {
    if (this.live && rate > 0) return;
    this.#be({ live: false, playing: true, rate });
  }

  pause() {
    this.#be({ live: false, playing: false });
  }

  /** To the frame after or before, of the first camera that has one. @param {1 | -1} direction */
  step(direction) {
    this.pause();
    const next = this.#stepping.then(() => this.#step(direction));
    this.#stepping = next.catch(() => {}); // whoever asked is told
    return next;
  }

  /** To what happened after or before; live where nothing did. @param {1 | -1} direction */
  async nextEvent(direction) {
    const { at } = this;
    const near = this.playing && direction < 0 ? PASSED_US : 1;
    const from = at + direction * near;
    const span = direction > 0 ? `since=0&from=${from}` : `to=${Math.max(1, from)}`;
    const path = `/events?${span}&limit=${EVENTS}&kind=state&kind=recording`;
    /** @type {{events: import("./api.js").EventTold[]}} */
    const { events } = await call("GET", path);
    const seen = new Set(this.#cameras);
    const found = events.find(
      ({ camera, time_us }) => (camera === null || seen.has(camera)) && time_us !== at,
    );
    if (found) this.seek(found.time_us);
    else if (direction > 0) this.goLive();
    return found ?? null;
  }

  /** Let time wait, or go on. @param {object} player @param {boolean} waits */
  hold(player, waits) {
    this.#holds.set(player, waits, performance.now());
    this.#run();
  }

  /** @param {{live?: boolean, playing?: boolean, rate?: number}} what @param {number} [at] */
  #be(what, at = this.at) {
    this.#clock.run(0, performance.now());
    this.#clock.set(at, performance.now());
    Object.assign(this, what);
    if (this.live || !this.playing) this.#holds.clear();
    clearInterval(this.#timer);
    if (this.playing && !this.live) this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#run();
    this.dispatchEvent(new Event("change"));
  }

  #run() {
    this.#clock.run(this.moves ? this.rate : 0, performance.now());
  }

  /** While it plays: what is live is reached, a hole is; who waits has waited long enough. */
  #tick() {
    this.#run();
    if (this.scrubs || document.hidden) return;
    const { at, rate } = this;
    if (rate > 0 && at >= now() * 1000 - LIVE_US) {
      this.goLive();
      return;
    }
    const hole = this.#holes.at(this.#cameras, at, rate);
    if (!hole) return;
    if (hole.to === null) {
      if (rate > 0) this.goLive();
      else this.pause();
      return;
    }
    this.seek(hole.to);
    const told = hole.gap ? gapWords(hole.gap, now() * 1000) : say.timeline[hole.removed ? "removed" : "nothing"];
    this.dispatchEvent(new CustomEvent("jumped", { detail: { from: at, to: hole.to, told } }));
  }

  /** @param {1 | -1} direction */
  async #step(direction) {
    const { at } = this;
    const players = this.#cameras.flatMap((id) =>
      [...this.players].filter((player) => player.id === id && !player.gone),
    );
    const found =
      (await players[0]?.beside(at, direction)) ?? (await this.#beyond(at, direction));
    if (found !== null && !this.playing) this.seek(found);
  }

  /** Behind the hole that follows. @param {number} at @param {number} direction */
  async #beyond(at, direction) {
    try {
      const found = await footage.next(this.#cameras, at, direction);
      return found && found.at - (direction < 0 ? 1 : 0);
    } catch (error) {
      if (error instanceof Trouble) return null; // the picture stays where it is
      throw error;
    }
  }
}

export const cursor = new Cursor();
