// @ts-check
/**
 * Shows video that was recorded, by Media Source Extensions. Media time is the time at which a
 * frame was taken, since `#base`: the whole archive is one movie, of which parts are there.
 */

import { Source, playable } from "./media.js";

/** @typedef {import("./playqueue.js").Span} Span */

const BACK_US = 30 * 86_400e6;
/** How far before the first frame it can go. */
const INSIDE_S = 0.0005;
/** Frames begin a little earlier or later than at the microsecond. */
const ROUND_US = 3000;
const AGAIN_MS = 200;
/** A seek that did not bring the frame is made again. */
const FAR_S = 0.3;
const NEAR_S = 0.008;
/** Farther from the cursor it leaps; nearer it is in step. */

export class Reel {
  /** What the buffer is to do next; each begins something that ends with `updateend`. @type {((buffer: SourceBuffer) => void)[]} */
  #work = [];
  /** @type {SourceBuffer | null} */
  #buffer = null;
  #life = new AbortController();
  #mime = "";
  #url;
  #base;
  #soughtAt = 0;
  /** When the frame that is seen was taken. @type {number | null} */
  seen = null;

  /**
   * @param {HTMLVideoElement} video
   * @param {number} wall about when frames will have been taken
   * @param {string} codecs
   * @param {{shown: import("./pictures.js").Shown, settled: () => void, failed: () => void}} hands
   */
  constructor(video, wall, codecs, hands) {
    this.video = video;
    this.hands = hands;
    this.#base = wall - BACK_US;
    const source = new /** @type {typeof MediaSource} */ (Source)();
    this.#url = URL.createObjectURL(source);
    const { signal } = this.#life;
    this.#mime = mimeOf(codecs);
    source.addEventListener("sourceopen", () => this.#opened(source), { once: true, signal });
    video.addEventListener("error", () => this.#fail(), { signal });
    video.disableRemotePlayback = true;
    video.src = this.#url;
    this.#watch();
  }

  /** Whether this browser plays that. @param {string} codecs */
  static plays(codecs) {
    return playable(mimeOf(codecs));
  }

  /** Whether it can show what was taken then. @param {number} wall */
  reaches(wall) {
    return wall > this.#base;
  }

  /** What follows is decoded by this. @param {import("./playread.js").Message} message */
  header({ codecs, payload, wall_us: wall }) {
    const mime = mimeOf(codecs);
    this.#do((buffer) => {
      if (mime !== this.#mime) buffer.changeType((this.#mime = mime));
      buffer.timestampOffset = this.#media(wall);
      buffer.appendBuffer(payload);
    });
  }

  /** @param {Uint8Array<ArrayBuffer>} payload */
  fragment(payload) {
    this.#do((buffer) => buffer.appendBuffer(payload));
  }

  /** Let go of what was taken before or after. @param {number} from @param {number} to */
  keep(from, to) {
    const [start, end] = [this.#media(from), this.#media(to)];
    this.#do((buffer) => {
      if (start > 0 && this.video.duration > 0) buffer.remove(0, start);
    });
    this.#do((buffer) => {
      if (end > 0 && this.video.duration > end) buffer.remove(end, Infinity);
    });
  }

  /** What is there; null while that changes. @returns {Span[] | null} */
  get spans() {
    if (!this.#buffer || this.#buffer.updating || this.#work.length) return null;
    const { buffered } = this.#buffer;
    return Array.from({ length: buffered.length }, (_, n) => [
      this.#base + buffered.start(n) * 1e6 - ROUND_US,
      this.#base + buffered.end(n) * 1e6 + ROUND_US,
    ]);
  }

  /** Show the frame that was taken then, once it is there. @param {number} frame */
  still(frame) {
    const { video } = this;
    if (!video.paused) video.pause();
    const target = this.#media(frame) + INSIDE_S;
    const seen = this.seen !== null && Math.abs(this.seen - frame) < ROUND_US;
    const again = !seen && performance.now() - this.#soughtAt > AGAIN_MS;
    const there = again || Math.abs(video.currentTime - target) > INSIDE_S / 5;
    if (!there || (video.seeking && !again) || !isIn(video.buffered, target)) return;
    this.#soughtAt = performance.now();
    video.currentTime = target;
  }

  /** Play on, at the cursor. @param {number} at @param {number} rate */
  run(at, rate) {
    const { video } = this;
    if (video.seeking) return;
    const target = this.#media(at);
    if (!isIn(video.buffered, target)) {
      if (!video.paused) video.pause();
      return;
    }
    const off = video.currentTime - target;
    if (Math.abs(off) > FAR_S * Math.max(1, rate)) {
      video.currentTime = target;
      return;
    }
    const mend = Math.abs(off) < NEAR_S ? 0 : Math.max(-rate / 4, Math.min(rate / 4, 2 * off));
    const speed = Math.round((rate - mend) * 100) / 100;
    if (video.playbackRate !== speed) video.playbackRate = speed;
    if (video.paused) video.play().catch(() => {}); // until the browser lets us
  }

  /** Whether what is on the screen is about what was taken then. @param {number} at */
  isAt(at) {
    const near = Math.abs(this.video.currentTime - this.#media(at)) < FAR_S;
    return near && !this.video.seeking && this.video.readyState >= 3;
  }

  close() {
    this.#life.abort();
    this.#buffer = null;
    this.video.removeAttribute("src");
    this.video.load();
    URL.revokeObjectURL(this.#url);
  }

  /** @param {number} wall seconds of media time */
  #media(wall) {
    return (wall - this.#base) / 1e6;
  }

  /** @param {MediaSource} source */
  #opened(source) {
    const buffer = source.addSourceBuffer(this.#mime);
    buffer.addEventListener("updateend", () => this.#next(), { signal: this.#life.signal });
    this.#buffer = buffer;
    this.#next();
  }

  /** @param {(buffer: SourceBuffer) => void} work */
  #do(work) {
    this.#work.push(work);
    this.#next();
  }

  #next() {
    if (!this.#buffer || this.#buffer.updating || this.#life.signal.aborted) return;
    const work = this.#work.shift();
    if (!work) return this.hands.settled();
    try {
      work(this.#buffer);
    } catch {
      return this.#fail(); // no room left, or it cannot be decoded
    }
    if (!this.#buffer.updating) this.#next();
  }

  #fail() {
    if (this.#life.signal.aborted) return;
    this.close();
    this.hands.failed();
  }

  /** Tell of each frame that comes onto the screen. */
  #watch() {
    const { video } = this;
    /** @type {(time: number, width: number, height: number) => void} */
    const tell = (time, width, height) => {
      this.seen = this.#base + time * 1e6;
      this.hands.shown(Math.round(this.seen), width, height);
    };
    const { signal } = this.#life;
    /** @type {VideoFrameRequestCallback} */
    const each = (_, { mediaTime, width, height }) => {
      if (signal.aborted) return;
      tell(mediaTime, width, height);
      video.requestVideoFrameCallback(each);
    };
    if (Reflect.has(video, "requestVideoFrameCallback")) video.requestVideoFrameCallback(each);
    else {
      const now = () => tell(video.currentTime, video.videoWidth, video.videoHeight);
      for (const name of ["timeupdate", "seeked"]) video.addEventListener(name, now, { signal });
    }
  }
}

/** @param {TimeRanges} ranges @param {number} time */
function isIn(ranges, time) {
  for (let n = 0; n < ranges.length; n++) {
    if (ranges.start(n) <= time && time < ranges.end(n)) return true;
  }
  return false;
}

/** @param {string} codecs */
function mimeOf(codecs) {
  return `video/mp4; codecs="${codecs}"`;
}
