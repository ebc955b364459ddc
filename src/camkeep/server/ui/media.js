// @ts-check
/**
 * Plays fragments of H.264, H.265 and sound as they come, in a video element, by Media Source
 * Extensions, close to what is live.
 */

import { Queue, goal, outOfGap, pace, spared, spread } from "./pace.js";

/** @typedef {import("./wire.js").Frame} Frame */

const QUEUE_BYTES = 16 * 1024 * 1024;
const KEPT_S = 6;
/** What was played stays in the buffer for so long; it is cleared when there is twice as much. */
const JUST_MS = 500;
const BACK_S = 1;
const WALLS = 256;
/** Frames whose wall time is remembered, to say which one is on the screen. */

/** iPhones have only the managed one. */
export const Source = /** @type {typeof MediaSource | undefined} */ (
  Reflect.get(globalThis, "ManagedMediaSource") ?? globalThis.MediaSource
);

/** Whether this browser plays that. @param {string} mime */
export function playable(mime) {
  return Source?.isTypeSupported(mime) ?? false;
}

export class Media {
  /** @type {Queue<Frame>} */
  #queue = new Queue(QUEUE_BYTES);
  /** @type {SourceBuffer | null} */
  #buffer = null;
  /** @type {{time: number, wall: number}[]} */
  #walls = [];
  #newest = 0;
  #apart = 0.1;
  #spare = 0;
  #spareAt = performance.now();
  #shownAt = 0;
  #begun = false;
  #life = new AbortController();
  #url;

  /**
   * @param {HTMLVideoElement} video
   * @param {string} mime
   * @param {import("./pictures.js").Shown} shown
   * @param {() => void} failed called once: begin anew
   */
  constructor(video, mime, shown, failed) {
    this.video = video;
    this.shown = shown;
    this.#failed = failed;
    const source = new /** @type {typeof MediaSource} */ (Source)();
    this.#url = URL.createObjectURL(source);
    const { signal } = this.#life;
    source.addEventListener("sourceopen", () => this.#opened(source, mime), { once: true, signal });
    video.addEventListener("error", () => this.#fail(), { signal });
    video.addEventListener("waiting", () => this.#look(!video.seeking), { signal });
    video.disableRemotePlayback = true;
    video.src = this.#url;
    this.#watch();
  }

  /** @type {() => void} */
  #failed;

  /** @param {Frame} frame */
  put(frame) {
    if (this.#life.signal.aborted) return;
    if (frame.picture) {
      const time = frame.time / 1e6;
      const passed = time - this.#newest;
      if (passed > 0 && this.#walls.length) this.#apart = spread(this.#apart, passed);
      if (passed > 0 || passed < -BACK_S) this.#newest = time; // B-frames come before what they follow
      this.#walls.push({ time: frame.time, wall: frame.wall });
      if (this.#walls.length > WALLS) this.#walls.shift();
    }
    if (this.#queue.put(frame)) this.#append();
    else this.#fail();
  }

  close() {
    this.#life.abort();
    this.#buffer = null;
    this.video.removeAttribute("src");
    this.video.load();
    URL.revokeObjectURL(this.#url);
  }

  #fail() {
    if (this.#life.signal.aborted) return;
    this.#life.abort();
    this.#failed();
  }

  /** @param {MediaSource} source @param {string} mime */
  #opened(source, mime) {
    const buffer = source.addSourceBuffer(mime);
    buffer.addEventListener("updateend", () => this.#appended(), { signal: this.#life.signal });
    this.#buffer = buffer;
    this.#append();
  }

  #append() {
    if (!this.#buffer || this.#buffer.updating || this.#life.signal.aborted) return;
    const frame = this.#queue.take();
    if (!frame) return;
    try {
      this.#buffer.appendBuffer(frame.data);
    } catch {
      this.#fail(); // no room left, or it cannot be decoded
    }
  }

  #appended() {
    const { video } = this;
    const ranges = rangesOf(this.#buffer);
    if (ranges.length && !this.#buffer?.updating) {
      const over = video.currentTime - ranges[0][0] > 2 * KEPT_S;
      if (over) this.#buffer?.remove(0, video.currentTime - KEPT_S);
      this.#keepUp(ranges);
    }
    this.#append();
  }

  /** @param {[number, number][]} ranges */
  #keepUp(ranges) {
    const { video } = this;
    const target = outOfGap(ranges, video.currentTime);
    this.#look(false);
    const aim = goal(this.#apart, this.#spare);
    const begins = !this.#begun && this.#shownAt > 0;
    this.#begun ||= begins;
    const { leap, rate } = pace(this.#newest - video.currentTime, aim, video.playbackRate, begins);
    if (leap) video.currentTime = Math.max(this.#newest - aim, ranges[ranges.length - 1][0]);
    else if (target !== null) video.currentTime = target;
    if (video.playbackRate !== rate) video.playbackRate = rate;
    if (video.paused) video.play().catch(() => {}); // until the browser lets us
  }

  /** How even is the network? What stood still before was no fault of it. @param {boolean} stalled */
  #look(stalled) {
    const now = performance.now();
    const passed = (now - this.#spareAt) / 1000;
    this.#spareAt = now;
    this.#spare = spared(this.#spare, passed, stalled && now - this.#shownAt < JUST_MS);
  }

  /** Tell of each frame that comes onto the screen. */
  #watch() {
    const { video } = this;
    /** @param {number} time @param {number} width @param {number} height */
    const tell = (time, width, height) => {
      const wall = this.#wallAt(time * 1e6);
      if (wall === null || this.#life.signal.aborted) return;
      this.#shownAt = performance.now();
      this.shown(wall, width, height);
    };
    /** @type {VideoFrameRequestCallback} */
    const each = (_, { mediaTime, width, height }) => {
      tell(mediaTime, width, height);
      if (!this.#life.signal.aborted) video.requestVideoFrameCallback(each);
    };
    if (Reflect.has(video, "requestVideoFrameCallback")) video.requestVideoFrameCallback(each);
    else {
      const { signal } = this.#life; // older browsers tell four times a second
      const now = () => tell(video.currentTime, video.videoWidth, video.videoHeight);
      video.addEventListener("timeupdate", now, { signal });
    }
  }

  /** @param {number} time microseconds @returns {number | null} */
  #wallAt(time) {
    let best = null;
    for (const each of this.#walls) {
      if (best === null || Math.abs(each.time - time) < Math.abs(best.time - time)) best = each;
    }
    return best?.wall ?? null;
  }
}

/** @param {SourceBuffer | null} buffer @returns {[number, number][]} */
function rangesOf(buffer) {
  const { buffered } = buffer ?? {};
  return Array.from({ length: buffered?.length ?? 0 }, (_, n) => [
    /** @type {TimeRanges} */ (buffered).start(n),
    /** @type {TimeRanges} */ (buffered).end(n),
  ]);
}
