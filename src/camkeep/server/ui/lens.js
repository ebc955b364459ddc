// @ts-check
/**
 * Looking closer at a picture: where it lies in its frame when it is enlarged. The picture fills
 * its frame as far as its shape allows; enlarged it never leaves more of the frame empty. Pure.
 */

/**
 * The frame's content, `scale` times as large, its corner at `x`, `y`: pixels.
 *
 * @typedef {{scale: number, x: number, y: number}} View
 */
/** @typedef {{width: number, height: number, shape: number}} Frame `shape`: the picture's width by its height */
/** @typedef {{x: number, y: number}} Point in the frame */

/** @type {View} */
export const WHOLE = { scale: 1, x: 0, y: 0 };

const MOST = 8;

/**
 * Closer by a factor, so that what lies at a point stays there.
 *
 * @param {View} view
 * @param {number} factor
 * @param {Point} at
 * @param {Frame} frame
 */
export function closer(view, factor, at, frame) {
  const scale = Math.min(MOST, Math.max(1, view.scale * factor));
  const by = scale / view.scale;
  return held({ scale, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by }, frame);
}

/**
 * The same, moved.
 *
 * @param {View} view
 * @param {number} x
 * @param {number} y
 * @param {Frame} frame
 */
export function moved(view, x, y, frame) {
  return held({ scale: view.scale, x: view.x + x, y: view.y + y }, frame);
}

/**
 * The nearest view that shows as much of the picture as it can: for another frame, too.
 *
 * @param {View} view
 * @param {Frame} frame
 * @returns {View}
 */
export function held({ scale, x, y }, { width, height, shape }) {
  if (scale <= 1 || !width || !height) return WHOLE;
  const wide = Math.min(width, height * shape);
  return {
    scale,
    x: along(x, scale, width, wide),
    y: along(y, scale, height, wide / shape),
  };
}

/**
 * @param {number} at
 * @param {number} scale
 * @param {number} room of the frame
 * @param {number} size of the picture in it, when it is whole
 */
function along(at, scale, room, size) {
  if (size * scale <= room) return (room - room * scale) / 2;
  const edge = ((room - size) / 2) * scale;
  return Math.min(-edge, Math.max(room - edge - size * scale, at));
}
