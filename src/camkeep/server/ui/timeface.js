// @ts-check
/** What is seen of a timeline: tracks, the words of the ruler, the playhead with its time. */

import { make, write } from "./dom.js";
import { locale } from "./say.js";
import { clock, scale } from "./timescale.js";
import { Tracks } from "./tracks.js";

/** @typedef {import("./timescale.js").Label} Label */
/** @typedef {import("./timeview.js").View} View */
/** @typedef {Omit<import("./tracks.js").Look, "scale" | "width" | "window">} Shown */

const AROUND_PX = 6;

export class Face {
  #view;
  #tracks = new Tracks();
  #labels = make("div", { class: "labels", "aria-hidden": "true" });
  #line = make("div", { class: "playhead" });
  #flag = make("div", { class: "flag time", "aria-hidden": "true" });
  #pen = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  /** Widths of words that were written before. @type {Map<string, number>} */
  #widths = new Map();
  parts = [this.#tracks.canvas, this.#labels, this.#line, this.#flag];

  /** @param {View} view */
  constructor(view) {
    this.#view = view;
  }

  /** The view is of another width, or in other colours. */
  fit() {
    this.#tracks.fit(this.#view.width);
    this.#widths.clear();
    this.#pen.font = `600 12px ${getComputedStyle(this.#labels).fontFamily}`;
  }

  /** @param {Shown} shown @param {number} playhead */
  draw(shown, playhead) {
    const { window, width } = this.#view;
    const marked = scale(window, width, locale, (text) => this.#measure(text));
    this.#tracks.draw({ ...shown, window, width, scale: marked });
    this.#label(marked.labels, this.#head(playhead));
  }

  /** Put the playhead there; where that is not seen, its time stands at the end where it is beyond.
   * @param {number} at @returns {[number, number]} what its time covers of the ruler */
  #head(at) {
    const { width } = this.#view;
    const x = this.#view.x(at);
    const beyond = x < 0 ? -1 : x > width ? 1 : 0;
    this.#line.hidden = beyond !== 0;
    this.#line.style.translate = `${x - 1}px 0`;
    const time = clock(at, true, locale);
    const text = beyond ? (beyond < 0 ? `‹ ${time}` : `${time} ›`) : time;
    write(this.#flag, text);
    this.#flag.toggleAttribute("beyond", beyond !== 0);
    const half = this.#measure(text) / 2 + AROUND_PX;
    const middle = Math.min(width - half, Math.max(half, x));
    this.#flag.style.width = `${2 * half}px`;
    this.#flag.style.translate = `${middle - half}px 0`;
    return [middle - half - AROUND_PX, middle + half + AROUND_PX];
  }

  /** @param {Label[]} labels @param {[number, number]} covered where none can be read */
  #label(labels, [left, right]) {
    const spans = this.#labels.children;
    while (spans.length < labels.length) this.#labels.append(make("span", { class: "time" }));
    [...spans].forEach((each, n) => {
      const span = /** @type {HTMLElement} */ (each);
      const label = labels[n];
      span.hidden = !label || (label.x < right && label.x + this.#measure(label.text) > left);
      if (!label) return;
      write(span, label.text);
      span.classList.toggle("day", label.day);
      span.style.translate = `${label.x}px 0`;
    });
  }

  /** @param {string} text */
  #measure(text) {
    const key = text.replace(/\d/g, "0");
    let width = this.#widths.get(key);
    if (width === undefined) {
      width = Math.ceil(this.#pen.measureText(key).width) + 1;
      this.#widths.set(key, width);
    }
    return width;
  }
}
