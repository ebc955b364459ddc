// @ts-check
/** What comes of a camera's picture, in words: its size, how often, how much, how late. */

import { make, write } from "./dom.js";
import { locale } from "./say.js";
import { say } from "./say-more.js";
import { codecs, sized } from "./words.js";

/** @typedef {import("./live.js").Live} Live */

export class Details {
  element = make("dl", { class: "panel details", hidden: true });

  /** @type {Record<string, HTMLElement>} */
  #told = {};
  /** What had come when it was looked at last. */
  #before = { frames: 0, bytes: 0, at: 0 };

  constructor() {
    for (const [key, name] of Object.entries(say.details)) {
      const told = make("dd", { class: "time" }, "–");
      this.#told[key] = told;
      this.element.append(make("dt", {}, name), told);
    }
  }

  /** Once a second, while it is seen. @param {Live} live */
  update(live) {
    const { header, count, delay } = live;
    const at = performance.now();
    const passed = (at - this.#before.at) / 1000;
    const known = this.#before.at > 0 && passed < 5 && count.frames >= this.#before.frames;
    const [frames, bytes] = [count.frames - this.#before.frames, count.bytes - this.#before.bytes];
    this.#before = { frames: count.frames, bytes: count.bytes, at };
    if (passed < 0.5) return;
    const told = this.#told;
    write(told.size, header ? `${header.width} × ${header.height}` : "–");
    write(told.codec, header ? codecs(header.codecs) : "–");
    write(told.rate, known ? one(frames / passed) : "–");
    write(told.flow, known ? `${sized(bytes / passed)}/s` : "–");
    write(told.delay, delay === null ? "–" : late(delay));
    write(told.left, count.skipped.toLocaleString(locale));
  }
}

const one = (/** @type {number} */ n) => n.toLocaleString(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const late = (/** @type {number} */ ms) => (ms < 1000 ? `${Math.max(1, Math.round(ms))} ms` : `${one(ms / 1000)} s`);
