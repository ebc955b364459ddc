// @ts-check
/**
 * Draws the timeline: the ruler's lines, what is kept of each camera, what is missing, clips and
 * events. Kept is solid; missing is hatched; deleted on purpose is a thin line; what is not known
 * yet, or still to come, is empty. Where the playhead, marks and words are, timeline.js says.
 *
 * There is no motion yet. Its bars belong into the upper half of a camera's own row, over what is
 * kept: `Kept` then has them with their heights, and `row` draws them last.
 */

/** @typedef {import("./footage.js").Kept} Kept */
/** @typedef {import("./footage.js").Gap} Gap */
/** @typedef {import("./footage.js").Happened} Happened */
/** @typedef {import("./timescale.js").Window} Window */
/** @typedef {{top: number, height: number}} Place */
/**
 * @typedef {object} Look
 * @property {Window} window
 * @property {number} width
 * @property {number} now
 * @property {(Kept | null)[]} cameras
 * @property {Happened[]} events
 * @property {import("./timescale.js").Scale} scale
 * @property {{start: number, end: number} | null} chosen a gap that is looked at
 */

export const HEIGHT = 72;
const RULER = 20;
const EVENTS = 20;
const ROWS = { top: 26, height: 30, apart: 2 };
const CLIPS = { top: 60, height: 8 };
export const MOST_ROWS = 4;
/** More cameras are one row together. */
const HATCH = 6;
const LIVE_US = 5e6;
/** Footage that ended before less than this at the moment of asking goes on. */

const COLOURS = ["ground", "raised", "line", "quiet", "amber", "red", "accent", "kept", "clip", "unwanted"];

/**
 * Where the row of each camera is: up to four, or one of all.
 *
 * @param {number} cameras
 * @returns {Place[]}
 */
function rows(cameras) {
  const count = cameras > MOST_ROWS ? 1 : Math.max(1, cameras);
  const height = Math.floor((ROWS.height - ROWS.apart * (count - 1)) / count);
  const top = (/** @type {number} */ n) => ROWS.top + n * (height + ROWS.apart);
  return Array.from({ length: count }, (_, n) => ({ top: top(n), height }));
}

/** In whose row a height is: a number. @param {number} cameras @param {number} y */
export function rowAt(cameras, y) {
  return Math.max(0, rows(cameras).findLastIndex(({ top }) => y >= top));
}

/** Of a list that rises, the first one that ends after `at`. @param {[number, number][]} spans @param {number} at */
export function firstAfter(spans, at) {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle][1] <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class Tracks {
  canvas = document.createElement("canvas");
  #context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
  /** @type {Record<string, string>} */
  #colour = {};
  /** @type {Record<string, CanvasPattern | null>} */
  #hatch = {};
  #ratio = 1;
  /** @type {Look} */
  #look = /** @type {any} */ (null);

  /** Take colours from the style sheet, and the size of a pixel. @param {number} width */
  fit(width) {
    this.#ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.#ratio);
    this.canvas.height = HEIGHT * this.#ratio;
    const style = getComputedStyle(this.canvas);
    for (const name of COLOURS) this.#colour[name] = style.getPropertyValue(`--${name}`).trim();
    for (const name of ["amber", "unwanted"]) this.#hatch[name] = this.#hatched(this.#colour[name]);
  }

  /** @param {Look} look */
  draw(look) {
    this.#look = look;
    const context = this.#context;
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    context.clearRect(0, 0, look.width, HEIGHT);
    this.#ruler();
    const places = rows(look.cameras.length);
    look.cameras.forEach((kept, n) => {
      if (kept) this.#row(kept, places[n] ?? places[0], n >= places.length);
    });
    if (look.chosen) this.#chosen(look.chosen);
    this.#clips();
    this.#events();
    this.#edge();
  }

  /** @param {number} at */
  #x(at) {
    const { window, width } = this.#look;
    return ((at - window.from) / (window.to - window.from)) * width;
  }

  #ruler() {
    const { minor, ticks } = this.#look.scale;
    const draw = (/** @type {number} */ at, /** @type {number} */ top) =>
      this.#context.fillRect(Math.round(this.#x(at)), top, 1, RULER - top);
    this.#context.fillStyle = this.#colour.line;
    for (const at of minor) draw(at, RULER - 3);
    for (const { at } of ticks) draw(at, RULER - 8);
    this.#context.fillStyle = this.#colour.quiet;
    for (const { at, day } of ticks) if (day) draw(at, 0);
  }

  /** @param {Kept} kept @param {Place} place @param {boolean} more of several that share the row */
  #row(kept, { top, height }, more) {
    const { now } = this.#look;
    if (!more) {
      this.#context.fillStyle = this.#colour.raised;
      this.#bars([[kept.since, now]], top, height);
    }
    this.#context.fillStyle = this.#colour.quiet;
    this.#bars(kept.removed, top + height / 2 - 1, 2);
    this.#context.fillStyle = this.#colour.kept;
    this.#bars(kept.spans, top, height, kept.until);
    const part = this.#look.cameras.length > MOST_ROWS ? Math.floor(height / 3) : height;
    this.#gaps(kept.gaps, false, top + height - part, part);
    this.#gaps(kept.gaps, true, top + height - part, part);
  }

  /**
   * Those of a list that rises, as one shape: what lies closer than half a pixel is one bar.
   *
   * @param {[number, number][]} spans
   * @param {number} top
   * @param {number} height
   * @param {number} [until] what lasted until then, goes on
   */
  #bars(spans, top, height, until = 0) {
    const { window, now, width } = this.#look;
    const bar = () => this.#bar(start, end, 1, top, height);
    let [start, end] = [0, -Infinity];
    const last = spans.length - 1;
    for (let n = firstAfter(spans, window.from - LIVE_US); n <= last; n++) {
      const [from, to] = spans[n];
      if (from > window.to) break;
      const x = Math.max(-1, this.#x(from));
      if (x > end + 0.5) {
        if (end > start) bar();
        start = x;
      }
      const goesOn = n === last && until - to < LIVE_US;
      end = Math.min(width + 1, this.#x(goesOn ? Math.max(now, to) : to));
    }
    if (end > start) bar();
  }

  /** On whole pixels: many times quicker than between them. Returns where it ends.
   * @param {number} from @param {number} to @param {number} least @param {number} top @param {number} height */
  #bar(from, to, least, top, height) {
    const ratio = this.#ratio;
    const x = Math.round(from * ratio) / ratio;
    const width = Math.max(least, Math.round(to * ratio) / ratio - x);
    this.#context.fillRect(x, top, width, height);
    return x + width;
  }

  /**
   * Those that should have been recorded, or those that should not. What lies under one that was
   * drawn already is left away: there may be thousands.
   *
   * @param {Gap[]} gaps
   * @param {boolean} wanted
   * @param {number} top
   * @param {number} height
   */
  #gaps(gaps, wanted, top, height) {
    const { window, width, now } = this.#look;
    const context = this.#context;
    const colour = wanted ? "amber" : "unwanted";
    const plain = this.#colour[colour];
    const hatch = this.#hatch[colour] ?? plain;
    if (typeof hatch !== "string") hatch.setTransform(this.#still());
    let drawn = -1;
    for (const gap of gaps) {
      if (gap.wanted !== wanted || gap.start > window.to || gap.end < window.from) continue;
      const from = Math.max(-1, this.#x(gap.start));
      const to = Math.min(width + 1, this.#x(gap.lasting ? now : gap.end));
      if (Math.max(to, from + 1) <= drawn) continue;
      if (to - from >= HATCH) {
        context.fillStyle = this.#colour.ground;
        this.#bar(from, to, 1, top, height);
        context.fillStyle = hatch;
      } else context.fillStyle = plain;
      drawn = this.#bar(from, to, wanted ? 2 : 1, top, height);
    }
  }

  /** So that hatching moves with time, and does not stand while time moves. */
  #still() {
    const scale = 1 / this.#ratio;
    const size = Math.round(HATCH * this.#ratio) * scale;
    return new DOMMatrix([scale, 0, 0, scale, this.#x(0) % size, 0]);
  }

  /** @param {{start: number, end: number}} gap */
  #chosen({ start, end }) {
    const context = this.#context;
    const x = Math.max(1, this.#x(start));
    context.strokeStyle = this.#colour.accent;
    context.lineWidth = 2;
    context.strokeRect(x, ROWS.top - 2, Math.max(3, this.#x(end) - x), ROWS.height + 4);
  }

  /** A bar each; with a lock where it is held. */
  #clips() {
    const { cameras, now } = this.#look;
    const context = this.#context;
    const found = new Map(cameras.flatMap((kept) => kept?.clips ?? []).map((clip) => [clip.id, clip]));
    for (const { start, end, held } of found.values()) {
      const x = this.#x(start);
      const width = Math.max(3, this.#x(end ?? now) - x);
      if (x + width < 0 || x > this.#look.width) continue;
      context.fillStyle = this.#colour[end === null ? "red" : "clip"];
      context.beginPath();
      context.roundRect(x, CLIPS.top, width, CLIPS.height, Math.min(3, width / 2));
      context.fill();
      if (held && width > 14) this.#lock(Math.max(x, 0) + 4, CLIPS.top + 1);
    }
  }

  /** @param {number} x @param {number} y */
  #lock(x, y) {
    const context = this.#context;
    context.fillStyle = context.strokeStyle = this.#colour.ground;
    context.lineWidth = 1;
    context.fillRect(x, y + 2.5, 5, 3.5);
    context.beginPath();
    context.arc(x + 2.5, y + 2.5, 1.5, Math.PI, 0);
    context.stroke();
  }

  /** A small notch each; in the colour of trouble where it is some. */
  #events() {
    let last = -Infinity;
    for (const { at, kind, detail } of this.#look.events) {
      const x = Math.round(this.#x(at));
      const trouble = kind === "storage" || isTrouble(detail.state);
      if (x < 0 || x > this.#look.width || (x === last && !trouble)) continue;
      last = x;
      this.#context.fillStyle = this.#colour[trouble ? "amber" : "quiet"];
      this.#context.fillRect(x - 1, EVENTS, 2, 5);
    }
  }

  /** Where now is: nothing can be behind it. */
  #edge() {
    const x = Math.round(this.#x(this.#look.now));
    this.#context.fillStyle = this.#colour.red;
    this.#context.fillRect(x - 1, ROWS.top, 2, ROWS.height);
  }

  /** Diagonal lines that join on all sides. @param {string} colour */
  #hatched(colour) {
    const size = Math.round(HATCH * this.#ratio);
    const tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const context = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
    context.strokeStyle = colour;
    context.lineWidth = 1.25 * this.#ratio;
    for (const shift of [-size, 0, size]) {
      context.moveTo(shift - 1, size + 1);
      context.lineTo(shift + size + 1, -1);
    }
    context.stroke();
    return context.createPattern(tile, "repeat");
  }
}

/** @param {unknown} state */
function isTrouble(state) {
  return state === "waiting" || state === "refused" || state === "failed";
}
