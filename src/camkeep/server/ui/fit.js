// @ts-check
/** Where the pictures of a wall go. Pure. */

/** @typedef {{x: number, y: number, width: number, height: number}} Box */
/** @typedef {{boxes: Box[], height: number}} Wall */

const NARROW = 600;
/** Below this width there is one column, as high as it comes. */
const LEAST = 136;
/** No picture gets lower: the wall rather becomes higher than the window. */
const COLUMN = 320;

/**
 * Rows of pictures, `gap` apart, each with its own shape (width / height), that fill a window as
 * far as their shapes let them, in the middle of it. Where they would become too small, the wall
 * is higher than the window: `height` says how high it is.
 *
 * @param {readonly number[]} shapes
 * @param {number} width
 * @param {number} height
 * @param {number} [gap]
 * @returns {Wall}
 */
export function fit(shapes, width, height, gap = 2) {
  if (!shapes.length || width <= 0 || height <= 0) return { boxes: [], height: 0 };
  const best = width < NARROW ? null : fitted(shapes, width, height, gap);
  const least = best ? Math.min(...best.boxes.map((box) => box.height)) : 0;
  return best && least >= LEAST ? best : scrolled(shapes, width, height, gap);
}

/**
 * The number of rows whose pictures cover most of the window.
 *
 * @param {readonly number[]} shapes
 * @param {number} width
 * @param {number} height
 * @param {number} gap
 */
function fitted(shapes, width, height, gap) {
  /** @type {Box[] | null} */
  let best = null;
  let most = 0;
  for (let count = 1; count <= shapes.length; count++) {
    const rows = split(shapes, count);
    if (rows.some((row) => !row.length)) continue;
    const boxes = place(rows, width, height, gap);
    const covered = boxes.reduce((sum, box) => sum + box.width * box.height, 0);
    if (covered > most) [best, most] = [boxes, covered];
  }
  return best && { boxes: best, height };
}

/**
 * Shapes in order, in so many rows of about the same length.
 *
 * @param {readonly number[]} shapes
 * @param {number} count
 * @returns {number[][]}
 */
function split(shapes, count) {
  const all = shapes.reduce((sum, shape) => sum + shape, 0);
  /** @type {number[][]} */
  const rows = Array.from({ length: count }, () => []);
  let before = 0;
  for (const shape of shapes) {
    rows[Math.min(count - 1, Math.floor(((before + shape / 2) / all) * count))].push(shape);
    before += shape;
  }
  return rows;
}

/**
 * Rows as wide as the window, all made smaller until they are no higher than it.
 *
 * @param {number[][]} rows
 * @param {number} width
 * @param {number} height
 * @param {number} gap
 * @returns {Box[]}
 */
function place(rows, width, height, gap) {
  const full = rows.map((row) => (width - gap * (row.length - 1)) / total(row));
  const room = height - gap * (rows.length - 1);
  const scale = Math.max(0, Math.min(1, room / total(full)));
  let y = (room - total(full) * scale) / 2;
  return rows.flatMap((row, index) => {
    const high = full[index] * scale;
    let x = (width - total(row) * high - gap * (row.length - 1)) / 2;
    const boxes = row.map((shape) => {
      const box = { x, y, width: shape * high, height: high };
      x += shape * high + gap;
      return box;
    });
    y += high + gap;
    return boxes;
  });
}

/**
 * As many columns as there is room for, and as many rows as it takes. A row is as high as its
 * shapes are on the average.
 *
 * @param {readonly number[]} shapes
 * @param {number} width
 * @param {number} height
 * @param {number} gap
 * @returns {Wall}
 */
function scrolled(shapes, width, height, gap) {
  const columns = Math.max(1, Math.floor(width / COLUMN));
  const wide = (width - gap * (columns - 1)) / columns;
  /** @type {Box[]} */
  const boxes = [];
  let y = 0;
  for (let first = 0; first < shapes.length; first += columns) {
    const row = shapes.slice(first, first + columns);
    const high = (wide * row.length) / total(row);
    row.forEach((_, n) => boxes.push({ x: n * (wide + gap), y, width: wide, height: high }));
    y += high + gap;
  }
  const whole = y - gap;
  for (const box of boxes) box.y += Math.max(0, (height - whole) / 2);
  return { boxes, height: Math.max(height, whole) };
}

/** @param {readonly number[]} values */
function total(values) {
  return values.reduce((sum, value) => sum + value, 0);
}
