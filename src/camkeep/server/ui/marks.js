// @ts-check
/** The marks on a timeline, where a clip is to begin and to end: two handles, and what lies between. */

import { now } from "./api.js";
import { make } from "./dom.js";
import { locale, say } from "./say.js";
import { SECOND, moment } from "./timescale.js";

/** @typedef {"in" | "out"} Side */
/** @typedef {{in: number | null, out: number | null}} Marked */
/**
 * What they need of the timeline.
 * @typedef {object} Around
 * @property {(at: number) => number} x where an instant is, in pixels
 * @property {(event: PointerEvent) => number} at at which instant the pointer is
 * @property {() => void} changed
 * @property {(at: number | null) => void} show the picture there while one is dragged; null: it ends
 */

const LEAST_US = SECOND / 10;
/** Between the two. */
const TARGET_PX = 44;

export class Marks {
  /** @type {Marked} */
  value = { in: null, out: null };
  between = make("div", { class: "between", hidden: true });
  /** @type {Record<Side, HTMLElement>} */
  handles = { in: this.#make("in"), out: this.#make("out") };
  /** @type {Around} */
  #around;
  /** How far from the mark its handle was taken. */
  #beside = 0;

  /** @param {Around} around */
  constructor(around) {
    this.#around = around;
  }

  /** Set one; the other goes where it would lie on the wrong side. @param {Side} side @param {number | null} at */
  set(side, at) {
    const other = side === "in" ? "out" : "in";
    const value = { ...this.value, [side]: at && Math.round(Math.min(at, now() * 1000)) };
    const wrong = value.in !== null && value.out !== null && value.out - value.in < LEAST_US;
    this.value = { ...value, [other]: wrong ? null : value[other] };
    this.#around.changed();
  }

  /** Put them where they are now. @param {number} width */
  place(width) {
    const { in: begin, out: end } = this.value;
    const x = (/** @type {number} */ at) => Math.min(width, Math.max(0, this.#around.x(at)));
    for (const side of /** @type {Side[]} */ (["in", "out"])) {
      const handle = this.handles[side];
      const at = this.value[side];
      handle.hidden = at === null || this.#around.x(at) < -1 || this.#around.x(at) > width + 1;
      if (at === null) continue;
      const left = side === "in" ? x(at) - TARGET_PX : x(at);
      handle.style.translate = `${left}px 0`;
      handle.setAttribute("aria-valuenow", String(Math.round(at / SECOND)));
      handle.setAttribute("aria-valuetext", moment(at, now() * 1000, locale));
    }
    this.between.hidden = begin === null || end === null;
    if (begin === null || end === null) return;
    this.between.style.translate = `${x(begin)}px 0`;
    this.between.style.width = `${x(end) - x(begin)}px`;
  }

  /** @param {Side} side */
  #make(side) {
    const handle = make("div", {
      class: `mark ${side}`,
      role: "slider",
      tabindex: "0",
      hidden: true,
      "aria-label": say.timeline[side],
      "aria-description": say.timeline.markTold,
      onpointerdown: (/** @type {PointerEvent} */ event) => {
        if (event.button) return;
        event.stopPropagation();
        handle.setPointerCapture(event.pointerId);
        handle.toggleAttribute("held", true);
        this.#beside = (this.value[side] ?? 0) - this.#around.at(event);
      },
      onpointermove: (/** @type {PointerEvent} */ event) => {
        event.stopPropagation();
        if (handle.hasAttribute("held")) {
          this.#drag(side, this.#around.at(event) + this.#beside);
        }
      },
      onpointerup: () => this.#drop(handle),
      onpointercancel: () => this.#drop(handle),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(side, event),
    });
    return handle;
  }

  /** Up to the other one, and not beyond. @param {Side} side @param {number} wanted */
  #drag(side, wanted) {
    const { in: begin, out: end } = this.value;
    let at = wanted;
    if (side === "in" && end !== null) at = Math.min(at, end - LEAST_US);
    if (side === "out" && begin !== null) at = Math.max(at, begin + LEAST_US);
    this.set(side, at);
    this.#around.show(at);
  }

  /** @param {HTMLElement} handle */
  #drop(handle) {
    if (handle.hasAttribute("held")) this.#around.show(null);
    handle.toggleAttribute("held", false);
  }

  /** @param {Side} side @param {KeyboardEvent} event */
  #key(side, event) {
    const at = this.value[side];
    const step = { ArrowLeft: -SECOND, ArrowRight: SECOND }[event.key];
    if (at === null) return;
    if (step) this.#drag(side, at + (event.shiftKey ? step / 10 : step));
    else if (event.key === "Delete" || event.key === "Backspace") this.set(side, null);
    else return;
    if (step) this.#around.show(null);
    event.preventDefault();
  }
}
