// @ts-check
/** Where the pictures of a wall go. Pure. */

/** @typedef {{x: number, y: number, width: number, height: number}} Box */
/** @typedef {{boxes: Box[], height: number}} Wall */
/** @typedef {number[]} Item the shape of a picture, or those of several above each other */

const NARROW = 600;
/** Below this width there is one column, as high as it comes. */
const LEAST = 136;
/** No picture gets lower: the wall rather becomes higher than the window. */
const COLUMN = 320;
const TWICE = 1.9;
/** A picture that is to be larger has at least so many times the area of others. */
const SOME = 1.4;
/** Less than that is not seen to be larger. */
const TIMES = 8;
/** More than that is more than anybody asked for. */
const MOST_HIGH = 6;
const MOST_WIDE = 4;

/**
 * Rows of pictures, `gap` apart, each with its own shape (width / height), that fill a window as
 * far as their shapes let them, in the middle of it. Where they would become too small, the wall
 * is higher than the window: `height` says how high it is. The first `large` of them are larger:
 * the others stand beside and below them.
 *
 * @param {readonly number[]} shapes
 * @param {number} width
 * @param {number} height
 * @param {number} [gap]
 * @param {number} [large]
 * @returns {Wall}
 */
export function fit(shapes, width, height, gap = 2, large = 0) {
  if (!shapes.length || width <= 0 || height <= 0) return { boxes: [], height: 0 };
  const some = large > 0 && large < shapes.length;
  const whole = { x: 0, y: 0, width, height };
  const best = width < NARROW ? null : some ? padded(shapes, whole, gap, large) : fitted(shapes, whole, gap);
  const least = best ? Math.min(...best.map((box) => box.height)) : 0;
  if (best && least >= LEAST) return { boxes: best, height };
  const columns = Math.max(1, Math.floor(width / COLUMN));
  return some && columns > 1 ? both(shapes, width, height, gap, large) : scrolled(shapes, width, height, gap, columns);
}

/**
 * As `led` has them. Where there are too few for the first ones to be larger, a place stays empty.
 *
 * @param {readonly number[]} shapes
 * @param {Box} window
 * @param {number} gap
 * @param {number} large
 */
function padded(shapes, window, gap, large) {
  for (let empty = 0; empty < 3; empty++) {
    const all = [...shapes, ...Array.from({ length: empty }, () => 16 / 9)];
    const boxes = led(all, window, gap, large);
    if (boxes) return boxes.slice(0, shapes.length);
  }
  return null;
}

/**
 * The first ones at the top left, columns of others beside them, the rest in rows below: what
 * covers most of the window, of all numbers and heights of columns and all numbers of rows.
 *
 * @param {readonly number[]} shapes
 * @param {Box} window
 * @param {number} gap
 * @param {number} large
 */
function led(shapes, window, gap, large) {
  /** @type {Box[] | null} */
  let best = null;
  let most = 0;
  for (const rows of trials(shapes, large)) {
    const boxes = place(rows, window, gap);
    const score = merit(boxes, large);
    if (score > most) [best, most] = [boxes, score];
  }
  return best && times(best, large) > SOME ? best : null;
}

/** @param {readonly number[]} shapes @param {number} large @returns {Item[][][]} */
function trials(shapes, large) {
  const first = shapes.slice(0, large).map((shape) => [shape]);
  const others = shapes.slice(large);
  const found = [];
  for (let high = 1; high <= MOST_HIGH; high++) {
    for (let wide = high > 1 ? 1 : 0; high * wide <= others.length && wide <= (high > 1 ? MOST_WIDE : 0); wide++) {
      const columns = Array.from({ length: wide }, (_, n) => others.slice(n * high, (n + 1) * high));
      const rest = others.slice(high * wide);
      const top = [...first, ...columns];
      if (!rest.length) found.push([top]);
      for (let count = 1; count <= rest.length; count++) found.push([top, ...split(rest, count)]);
    }
  }
  return [...found, [[...first, others]]].filter((rows) => rows.every((row) => row.length));
}

/** How much is covered, less where the first ones are hardly larger, or others are tiny or uneven. @param {Box[]} boxes @param {number} large */
function merit(boxes, large) {
  const areas = boxes.map((box) => box.width * box.height);
  const more = times(boxes, large);
  const others = areas.slice(large);
  const even = (Math.min(...others) / Math.max(...others)) ** 0.25;
  const seen = Math.min(...boxes.map(({ height }) => height)) < LEAST ? 0.01 : 1;
  return total(areas) * Math.min(1, more / TWICE) ** 3 * Math.min(1, TIMES / more) * even * seen;
}

/** How many times as large as the largest of the others the least of the first ones is. @param {Box[]} boxes @param {number} large */
function times(boxes, large) {
  const areas = boxes.map((box) => box.width * box.height);
  return Math.min(...areas.slice(0, large)) / Math.max(...areas.slice(large));
}

/**
 * The first ones in columns twice as wide, the others below them.
 *
 * @param {readonly number[]} shapes
 * @param {number} width
 * @param {number} height
 * @param {number} gap
 * @param {number} large
 * @returns {Wall}
 */
function both(shapes, width, height, gap, large) {
  const columns = Math.floor(width / COLUMN);
  const above = scrolled(shapes.slice(0, large), width, 0, gap, Math.max(1, Math.floor(columns / 2)));
  const below = scrolled(shapes.slice(large), width, 0, gap, columns);
  const y = above.height + gap;
  const boxes = [...above.boxes, ...below.boxes.map((box) => ({ ...box, y: box.y + y }))];
  return { boxes, height: Math.max(height, y + below.height) };
}

/**
 * The number of rows whose pictures cover most of the window.
 *
 * @param {readonly number[]} shapes
 * @param {Box} window
 * @param {number} gap
 */
function fitted(shapes, window, gap) {
  /** @type {Box[] | null} */
  let best = null;
  let most = 0;
  for (let count = 1; count <= shapes.length; count++) {
    const rows = split(shapes, count);
    if (rows.some((row) => !row.length)) continue;
    const boxes = place(rows, window, gap);
    const covered = boxes.reduce((sum, box) => sum + box.width * box.height, 0);
    if (covered > most) [best, most] = [boxes, covered];
  }
  return best;
}

/**
 * Shapes in order, in so many rows of about the same length.
 *
 * @param {readonly number[]} shapes
 * @param {number} count
 * @returns {Item[][]}
 */
function split(shapes, count) {
  const all = total(shapes);
  /** @type {Item[][]} */
  const rows = Array.from({ length: count }, () => []);
  let before = 0;
  for (const shape of shapes) {
    rows[Math.min(count - 1, Math.floor(((before + shape / 2) / all) * count))].push([shape]);
    before += shape;
  }
  return rows;
}

/** How wide an item is that is so high. @param {Item} item @param {number} high @param {number} gap */
function wide(item, high, gap) {
  return (high - gap * (item.length - 1)) / total(item.map((shape) => 1 / shape));
}

/** How high a row is that is so wide. @param {Item[]} row @param {number} width @param {number} gap */
function high(row, width, gap) {
  const flat = total(row.map((item) => wide(item, 0, gap))) + gap * (row.length - 1);
  return (width - flat) / total(row.map((item) => wide(item, 1, 0)));
}

/**
 * Rows as wide as the window, all made smaller until they are no higher than it.
 *
 * @param {Item[][]} rows
 * @param {Box} window
 * @param {number} gap
 * @returns {Box[]}
 */
function place(rows, { width, height }, gap) {
  const full = rows.map((row) => high(row, width, gap));
  const room = height - gap * (rows.length - 1);
  const scale = Math.max(0, Math.min(1, room / total(full)));
  let y = (room - total(full) * scale) / 2;
  return rows.flatMap((row, index) => {
    const tall = full[index] * scale;
    const widths = row.map((item) => Math.max(0, wide(item, tall, gap)));
    let x = (width - total(widths) - gap * (row.length - 1)) / 2;
    const boxes = row.flatMap((item, n) => {
      let top = y;
      const column = item.map((shape) => {
        const box = { x, y: top, width: widths[n], height: widths[n] / shape };
        top += box.height + gap;
        return box;
      });
      x += widths[n] + gap;
      return column;
    });
    y += tall + gap;
    return boxes;
  });
}

/**
 * So many columns, and as many rows as it takes. A row is as high as its
 * shapes are on the average.
 *
 * @param {readonly number[]} shapes
 * @param {number} width
 * @param {number} height
 * @param {number} gap
 * @param {number} columns
 * @returns {Wall}
 */
function scrolled(shapes, width, height, gap, columns) {
  const wide = (width - gap * (columns - 1)) / columns;
  /** @type {Box[]} */
  const boxes = [];
  let y = 0;
  for (let first = 0; first < shapes.length; first += columns) {
    const row = shapes.slice(first, first + columns);
    const most = columns === 1 && height > 0 ? height : Infinity; // all of it is seen at once
    const high = Math.min((wide * row.length) / total(row), most);
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
