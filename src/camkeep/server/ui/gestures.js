// @ts-check
/**
 * What hands do on a timeline: press and drag, two fingers, the wheel, the pointer above it.
 * Everything is told in pixels from the left edge.
 */

/**
 * @typedef {object} Hands
 * @property {(x: number, began: boolean) => void} drag pressed there, or dragged to there
 * @property {() => void} drop
 * @property {(x: number, factor: number) => void} zoom `factor` below 1: nearer
 * @property {(pixels: number) => void} pan
 * @property {(x: number | null, y: number, touch: boolean) => void} hover null: it left
 */

const LINE_PX = 16;
const WHEEL = 0.0025;
/** So much nearer for each pixel of the wheel. */
const PINCH = 0.01;
/** The same where the wheel is two fingers on a touch pad. */

/**
 * Listen until `signal` ends.
 *
 * @param {HTMLElement} element
 * @param {Hands} hands
 * @param {AbortSignal} signal
 */
export function gestures(element, hands, signal) {
  /** Where the fingers are. @type {Map<number, number>} */
  const fingers = new Map();
  let drags = false;
  const xOf = (/** @type {MouseEvent} */ event) =>
    event.clientX - element.getBoundingClientRect().left;
  const hover = (/** @type {PointerEvent} */ event) => {
    const y = event.clientY - element.getBoundingClientRect().top;
    hands.hover(xOf(event), y, event.pointerType === "touch");
  };

  /** @param {PointerEvent} event */
  const down = (event) => {
    if (event.button || fingers.size > 1) return;
    element.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, xOf(event));
    if (drags) hands.drop();
    drags = fingers.size === 1;
    if (drags) hands.drag(xOf(event), true);
    if (drags) hover(event);
    else hands.hover(null, 0, true);
  };

  /** @param {PointerEvent} event */
  const move = (event) => {
    const before = fingers.get(event.pointerId);
    if (before === undefined) {
      if (event.pointerType !== "touch") hover(event);
      return;
    }
    const x = xOf(event);
    fingers.set(event.pointerId, x);
    if (drags) {
      hands.drag(x, false);
      hover(event);
      return;
    }
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other === undefined) return;
    hands.pan((before - x) / 2);
    const [was, is] = [Math.abs(before - other), Math.abs(x - other)];
    if (was > 8 && is > 8) hands.zoom((x + other) / 2, was / is);
  };

  /** @param {PointerEvent} event */
  const up = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    if (drags) hands.drop();
    drags = false;
    if (event.pointerType === "touch") hands.hover(null, 0, true);
  };

  /** @param {WheelEvent} event */
  const wheel = (event) => {
    event.preventDefault();
    const unit = event.deltaMode ? LINE_PX : 1;
    const [across, along] = event.shiftKey
      ? [event.deltaY || event.deltaX, 0]
      : [event.deltaX, event.deltaY];
    if (Math.abs(across) > Math.abs(along)) hands.pan(across * unit);
    else hands.zoom(xOf(event), Math.exp(along * unit * (event.ctrlKey ? PINCH : WHEEL)));
  };

  element.addEventListener("pointerdown", down, { signal });
  element.addEventListener("pointermove", move, { signal });
  element.addEventListener("pointerup", up, { signal });
  element.addEventListener("pointercancel", up, { signal });
  element.addEventListener("pointerleave", () => hands.hover(null, 0, false), { signal });
  element.addEventListener("wheel", wheel, { signal, passive: false });
}
