// @ts-check
/** How somebody has arranged the wall on this device: an order, and which are large. Pure. */

/** @typedef {{order: string[], large: string[]}} Layout */

/** @param {string | null} text as it was kept @returns {Layout} */
export function read(text) {
  try {
    const { order, large } = JSON.parse(text ?? "");
    const ids = (/** @type {unknown[]} */ all) => all.filter((each) => typeof each === "string");
    return { order: ids(order), large: ids(large) };
  } catch {
    return { order: [], large: [] }; // nothing, or what somebody else wrote there
  }
}

/** Whether it is as it would be for everybody. @param {Layout} layout */
export const usual = ({ order, large }) => !order.length && !large.length;

/**
 * Those in the order that somebody chose, the large ones first; one that is new comes behind the
 * one that it follows elsewhere.
 *
 * @template {{id: string}} Camera
 * @param {readonly Camera[]} cameras
 * @param {Layout} layout
 */
export function ordered(cameras, { order, large }) {
  const found = order.flatMap((id) => cameras.find((each) => each.id === id) ?? []);
  cameras.forEach((camera, n) => {
    if (found.includes(camera)) return;
    const before = n ? found.indexOf(cameras[n - 1]) : -1;
    found.splice(before + 1, 0, camera);
  });
  const first = found.filter(({ id }) => large.includes(id));
  return [...first, ...found.filter((each) => !first.includes(each))];
}

/** With one of them at another place. @param {readonly string[]} ids @param {string} id @param {number} to @returns {string[]} */
export function moved(ids, id, to) {
  const rest = ids.filter((each) => each !== id);
  rest.splice(Math.max(0, Math.min(to, rest.length)), 0, id);
  return rest;
}

/** With one of them large, or no longer. @param {Layout} layout @param {string} id @returns {Layout} */
export function resized({ order, large }, id) {
  return { order, large: large.includes(id) ? large.filter((each) => each !== id) : [...large, id] };
}

/**
 * The next one in a direction, as one looks at it; -1 where there is none.
 *
 * @param {readonly import("./fit.js").Box[]} boxes
 * @param {number} from
 * @param {string} key ArrowLeft, ArrowRight, ArrowUp, ArrowDown
 */
export function beside(boxes, from, key) {
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const to = from + (key === "ArrowLeft" ? -1 : 1);
    return to < boxes.length ? to : -1;
  }
  const way = key === "ArrowUp" ? -1 : 1;
  const middle = (/** @type {import("./fit.js").Box} */ box) => [box.x + box.width / 2, box.y + box.height / 2];
  const [x, y] = middle(boxes[from]);
  let [best, least] = [-1, Infinity];
  boxes.forEach((box, n) => {
    const [across, along] = [Math.abs(middle(box)[0] - x), (middle(box)[1] - y) * way];
    const far = along + 2 * across;
    if (along > boxes[from].height / 4 && far < least) [best, least] = [n, far];
  });
  return best;
}
