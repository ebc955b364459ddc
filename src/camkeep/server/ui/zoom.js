// @ts-check
/**
 * Zoom by wheel, pinch, double click and keys; once closer, drag to look around. `lens.js` has the
 * rules. The wheel is free for others while `on` says so.
 */

import { make, write } from "./dom.js";
import { WHOLE, closer, held, moved } from "./lens.js";
import { locale, say } from "./say.js";

const STEP = 1.5;
const DOUBLE = 2.5;
const WHEEL = 0.002;
const PINCH = 0.01;
/** Two fingers on a touch pad come as a wheel with Ctrl, in small steps. */

export class Zoom {
  /** Says how close one is, and leads back. */
  sign = make("button", { class: "zoomed time", type: "button", hidden: true });

  #scale = make("span");
  #view = WHOLE;
  /** @type {Map<number, {x: number, y: number}>} */
  #fingers = new Map();
  #surface;
  #pictures;
  #shape;
  #on;

  /**
   * @param {HTMLElement} surface what is touched; fills the frame
   * @param {() => HTMLElement[]} pictures that are moved
   * @param {() => number} shape of the picture
   * @param {() => boolean} on
   */
  constructor(surface, pictures, shape, on) {
    this.#surface = surface;
    this.#pictures = pictures;
    this.#shape = shape;
    this.#on = on;
    this.sign.append(this.#scale, make("span", { class: "sr" }, say.watch.whole));
  }

  /** @param {AbortSignal} signal until when */
  start(signal) {
    const surface = this.#surface;
    /** @param {string} name @param {(event: any) => void} act */
    const when = (name, act) =>
      surface.addEventListener(name, (event) => this.#on() && act(event), { signal, passive: false });
    when("wheel", (event) => this.#wheel(event));
    when("dblclick", (event) => this.#twice(event));
    when("pointerdown", (event) => this.#down(event));
    when("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      when(name, (event) => this.#fingers.delete(event.pointerId));
    }
    this.sign.addEventListener("click", () => this.reset(), { signal });
    const sizes = new ResizeObserver(() => this.#show(held(this.#view, this.#frame)));
    sizes.observe(surface);
    signal.addEventListener("abort", () => sizes.disconnect());
  }

  /** Closer, or farther away: around the middle. @param {1 | -1} way */
  step(way) {
    if (!this.#on()) return;
    const { width, height } = this.#frame;
    const middle = { x: width / 2, y: height / 2 };
    this.#show(closer(this.#view, STEP ** way, middle, this.#frame));
  }

  /** The whole picture. */
  reset() {
    if (this.sign === document.activeElement) this.#surface.focus({ preventScroll: true });
    this.#show(WHOLE);
  }

  get #frame() {
    const { clientWidth: width, clientHeight: height } = this.#surface;
    return { width, height, shape: this.#shape() };
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const turned = event.deltaY * lines * (event.ctrlKey ? PINCH : WHEEL);
    this.#show(closer(this.#view, Math.exp(-turned), this.#at(event), this.#frame));
  }

  /** @param {MouseEvent} event */
  #twice(event) {
    const back = this.#view.scale > 1;
    this.#show(back ? WHOLE : closer(this.#view, DOUBLE, this.#at(event), this.#frame));
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button) return;
    this.#fingers.set(event.pointerId, this.#at(event));
    if (this.#view.scale > 1 || this.#fingers.size > 1)
      this.#surface.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.#fingers.get(event.pointerId);
    if (!before) return;
    const now = this.#at(event);
    const other = [...this.#fingers].find(([id]) => id !== event.pointerId)?.[1];
    this.#fingers.set(event.pointerId, now);
    let view = moved(this.#view, (now.x - before.x) / (other ? 2 : 1), (now.y - before.y) / (other ? 2 : 1), this.#frame);
    if (other) {
      const factor = apart(now, other) / Math.max(1, apart(before, other));
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      view = closer(view, factor, middle, this.#frame);
    }
    this.#show(view);
  }

  /** @param {MouseEvent} event */
  #at(event) {
    const { left, top } = this.#surface.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  /** @param {import("./lens.js").View} view */
  #show(view) {
    this.#view = view;
    const { scale, x, y } = view;
    const close = scale > 1;
    const moved = close ? `translate(${x}px, ${y}px) scale(${scale})` : "";
    for (const picture of this.#pictures()) picture.style.transform = moved;
    this.#surface.toggleAttribute("close", close);
    this.sign.hidden = !close;
    const shape = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
    if (close) write(this.#scale, `${scale.toLocaleString(locale, shape)}×`);
  }
}

/** @param {{x: number, y: number}} a @param {{x: number, y: number}} b */
function apart(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
