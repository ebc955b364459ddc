// @ts-check
/**
 * What is kept, and what is missing, around the time that is looked at. It asks the recorder for
 * one part of time at a time, keeps a few of them, and looks again while time goes on. `change` is
 * told when more is known.
 */

import { Trouble, api, now } from "./api.js";
import { recorder } from "./recorder.js";

/** @typedef {{start: number, end: number, told: string, cause: string, lasting: boolean, wanted: boolean}} Gap */
/** @typedef {{id: string, name: string, start: number, end: number | null, held: boolean}} Mark a clip */
/** @typedef {{at: number, kind: string, camera: string | null, told: string, detail: Record<string, unknown>}} Happened */
/**
 * @typedef {object} Kept
 * @property {number} since when it was first to be recorded
 * @property {[number, number][]} spans
 * @property {Gap[]} gaps
 * @property {[number, number][]} removed what was deleted on purpose
 * @property {Mark[]} clips
 * @property {number} until what comes after is not known yet
 */
/**
 * A part of time, as the recorder told of it.
 * @typedef {{from: number, to: number, finest: number, until: number, asked: number, stale: boolean, cameras: Map<string, Kept>, events: Happened[]}} Part
 */
/** @typedef {{ids: string[], from: number, to: number}} Wish */

const MOST_PARTS = 8;
const DEBOUNCE_MS = 120;
const MOST_EVENTS = 500;
const FINE = 1 / 500;
/** Of the window: what is shorter need not be known. */
const MARGIN = 1 / 4;
/** Of the window, asked for on each side of it. */
const LEAST_MS = 3000;
/** What is live is asked for again after so long, or when it would be seen. */
const FRESH_US = 4e6;
/** What was recorded last may not be told yet. */

export class Footage extends EventTarget {
  /** Why nothing is known, where the recorder says so. */
  told = "";

  /** @type {Part[]} The newest first. */
  #parts = [];
  /** @type {Part | null} The one that fits the window best. */
  #best = null;
  /** @type {Wish | null} */
  #wish = null;
  #asking = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #askAt = 0;

  constructor() {
    super();
    recorder.addEventListener("change", () => this.#doubt());
    document.addEventListener("visibilitychange", () => this.#look());
  }

  /** That part of time is on the screen, of those cameras; none: nothing is asked any more.
   * @param {string[]} ids @param {number} from @param {number} to */
  want(ids, from, to) {
    const before = this.#wish;
    const same = before?.from === from && before.to === to && String(before.ids) === String(ids);
    if (same) return;
    this.#wish = ids.length ? { ids, from, to } : null;
    this.#choose();
    this.#look(this.#best ? DEBOUNCE_MS : 0);
  }

  /** What is known of a camera, around the window. @param {string} id @returns {Kept | null} */
  of(id) {
    return this.#best?.cameras.get(id) ?? null;
  }

  /** What happened then, oldest first. */
  get events() {
    return this.#best?.events ?? [];
  }

  /** Whether there is footage; null where that is not known. @param {string} id @param {number} at */
  kept(id, at) {
    const known = this.#parts
      .filter((part) => part.from <= at && at < part.to && part.cameras.has(id))
      .sort((one, two) => one.finest - two.finest)[0];
    if (!known) return null;
    if (known.cameras.get(id)?.spans.some(([start, end]) => start <= at && at < end)) return true;
    return at > known.until - FRESH_US ? null : false;
  }

  /**
   * Where the next footage of any of them begins after an instant, where none had any just before;
   * `direction` -1: where the last one before it ended. `gap`: why there is none in between.
   *
   * @param {string[]} ids
   * @param {number} at
   * @param {number} direction
   * @returns {Promise<{at: number, gap: Gap | null, removed: boolean} | null>}
   */
  async next(ids, at, direction) {
    const found = await api.nextFootage(ids, Math.round(at), direction < 0);
    if (found.at_us === null) return null;
    return { at: found.at_us, gap: found.gap && gapOf(found.gap), removed: found.removed };
  }

  /** Something was recorded, or is no more. */
  #doubt() {
    for (const part of this.#parts) part.stale = true;
    this.#look(DEBOUNCE_MS);
  }

  #choose() {
    const wish = this.#wish;
    const of = (/** @type {Part} */ part) =>
      Math.min(part.to, wish?.to ?? 0) - Math.max(part.from, wish?.from ?? 0);
    this.#best =
      wish &&
      (this.#parts
        .filter((part) => of(part) > 0 && wish.ids.every((id) => part.cameras.has(id)))
        .sort((one, two) => of(two) - of(one) || one.finest - two.finest)[0] ??
        null);
  }

  /** Ask for what is not known yet, `wait` milliseconds from now at the earliest; what is due before
   * stays so, or nothing would ever be asked while the window moves. */
  #look(wait = 0) {
    const rests = document.hidden || recorder.away || this.#asking;
    const due = rests ? Infinity : Math.max(wait, this.#due(this.#wish));
    const at = performance.now() + due;
    if (this.#timer !== undefined && due < Infinity && this.#askAt <= at) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (due === Infinity) return;
    this.#askAt = at;
    this.#timer = setTimeout(() => void this.#ask(), due);
  }

  /** After how many milliseconds to ask for it. @param {Wish | null} wish */
  #due(wish) {
    if (!wish) return Infinity;
    const { from, to } = wish;
    const best = this.#best;
    const span = to - from;
    const nowUs = now() * 1000;
    if (!best || best.from > from || best.to < Math.min(to, nowUs) || best.finest > span * FINE) {
      return 0;
    }
    const age = performance.now() - best.asked;
    if (best.stale) return LEAST_MS / 3 - age;
    const live = best.until < to;
    return live ? Math.max(LEAST_MS, (span * FINE) / 1000) - age : Infinity;
  }

  async #ask() {
    const wish = this.#wish;
    this.#timer = undefined;
    if (!wish) return;
    this.#asking = true;
    let wait = 0;
    try {
      this.#keep(await fetched(wish));
      this.told = "";
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      wait = LEAST_MS;
      if (!error.status) recorder.doubt();
      else this.told = error.message;
    } finally {
      this.#asking = false;
    }
    this.#choose();
    this.dispatchEvent(new Event("change"));
    this.#look(wait);
  }

  /** @param {Part} part */
  #keep(part) {
    const worse = (/** @type {Part} */ each) =>
      each.from >= part.from &&
      each.to <= part.to &&
      each.finest >= part.finest &&
      [...each.cameras.keys()].every((id) => part.cameras.has(id));
    this.#parts = [part, ...this.#parts.filter((each) => !worse(each))].slice(0, MOST_PARTS);
  }
}

/** The window and what lies beside it, as it is now. @param {Wish} wish @returns {Promise<Part>} */
async function fetched({ ids, from, to }) {
  const asked = performance.now();
  const margin = (to - from) * MARGIN;
  const [start, end] = [Math.max(0, Math.floor(from - margin)), Math.ceil(to + margin)];
  const [found, happened] = await Promise.all([
    api.timeline(ids, start, end),
    api.happened(start, end, MOST_EVENTS),
  ]);
  const cameras = found.cameras.map((each) => /** @type {const} */ ([each.camera, keptOf(each, found.now_us)]));
  const seen = new Set(ids);
  return {
    from: start,
    to: end,
    finest: found.resolution_us,
    until: found.now_us,
    asked,
    stale: false,
    cameras: new Map(cameras),
    events: happened
      .filter(({ camera }) => camera === null || seen.has(camera))
      .map(({ time_us: at, kind, camera, told, detail }) => ({ at, kind, camera, told, detail }))
      .reverse(),
  };
}

/** @param {import("./api.js").CameraTime} told @param {number} until @returns {Kept} */
function keptOf({ since_us, spans, gaps, removed, clips }, until) {
  return {
    since: since_us,
    spans,
    gaps: gaps.map(gapOf),
    removed,
    clips: clips.map(({ id, name, start_us, end_us, held }) => ({
      ...{ id, name, held },
      start: start_us,
      end: end_us,
    })),
    until,
  };
}

/** @param {import("./api.js").GapTold} told @returns {Gap} */
function gapOf({ start_us, end_us, told, cause, lasting, wanted }) {
  return { start: start_us, end: end_us, told, cause, lasting, wanted };
}

export const footage = new Footage();
