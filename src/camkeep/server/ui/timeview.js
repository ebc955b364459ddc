// @ts-check
/** Which part of time is seen, and how it moves: with the cursor, or with whoever looks elsewhere. */

import { now } from "./api.js";
import { cursor } from "./cursor.js";
import { HOUR, followed, zoomed } from "./timescale.js";

/** @typedef {import("./timescale.js").Window} Window */

const KEPT_AS = "camkeep.timeline";
/** The length of the window, as long as the page is visited. */
export const EDGE_PX = 48;
/** Live is so far from the right end. */
const BEHIND = 0.9;
/** Of the window: how far the playhead goes before time moves instead. */

export class View {
  /** @type {Window} */
  window = { from: 0, to: HOUR };
  width = 0;
  /** Somebody looks elsewhere than where the cursor is. */
  elsewhere = false;

  /** @param {number} at */
  x(at) {
    return ((at - this.window.from) / (this.window.to - this.window.from)) * this.width;
  }

  /** @param {number} x */
  at(x) {
    return this.window.from + this.long(x);
  }

  /** Microseconds that so many pixels are. @param {number} pixels */
  long(pixels) {
    return ((this.window.to - this.window.from) / Math.max(1, this.width)) * pixels;
  }

  /** As near as it was last on this visit, around the cursor. */
  restore() {
    const span = keptSpan() || HOUR;
    const from = cursor.at - span * (cursor.live ? this.#most() : 0.5);
    this.window = { from, to: from + span };
    this.elsewhere = false;
  }

  /** Let the playhead be seen, now that it has gone somewhere. */
  reveal() {
    this.elsewhere = false;
    const { at, live } = cursor;
    if (at >= this.window.from && at <= this.window.to) return;
    this.window = followed(this.window, at, 0.5, live ? this.#most() : 0.5);
  }

  /** Move with the playhead, unless somebody looks elsewhere. */
  follow() {
    if (this.elsewhere || !(cursor.live || cursor.playing)) return;
    const low = cursor.rate < 0 ? 1 - BEHIND : 0;
    this.window = followed(this.window, cursor.at, low, this.#most());
  }

  /** Look at that, but never at much that is still to come. @param {Window} wanted */
  look(wanted) {
    const span = wanted.to - wanted.from;
    const beyond = wanted.to - now() * 1000 - (span / Math.max(1, this.width)) * EDGE_PX;
    const to = wanted.to - Math.max(0, beyond);
    this.window = { from: to - span, to };
    this.elsewhere = cursor.at < to - span || cursor.at > to;
    keep(span);
  }

  /** About an instant: by default the playhead, where it is seen. @param {number} factor @param {number} [at] */
  zoom(factor, at) {
    const anchor = at ?? (this.elsewhere ? this.at(this.width / 2) : cursor.at);
    this.look(zoomed(this.window, factor, Math.min(anchor, now() * 1000)));
  }

  /** @param {number} pixels */
  pan(pixels) {
    const far = this.long(pixels);
    this.look({ from: this.window.from + far, to: this.window.to + far });
  }

  #most() {
    return cursor.live ? 1 - Math.min(0.5, EDGE_PX / Math.max(1, this.width)) : BEHIND;
  }
}

function keptSpan() {
  try {
    return Number(sessionStorage.getItem(KEPT_AS));
  } catch {
    return 0; // a browser that keeps nothing
  }
}

/** @param {number} span */
function keep(span) {
  try {
    sessionStorage.setItem(KEPT_AS, String(span));
  } catch {
    // then it begins with an hour each time
  }
}
