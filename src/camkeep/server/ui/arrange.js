// @ts-check
/**
 * Arranging the wall: a tile is dragged to the place of another one (by touch after a long press),
 * or moved by Shift and the arrow keys. The arrow keys alone go from tile to tile.
 */

const FAR = 8;
const LONG_MS = 400;

/** @typedef {import("./tile.js").Tile} Tile */
/**
 * @typedef {object} Arranged
 * @property {() => Tile[]} tiles as they stand; none where nothing can be arranged
 * @property {(tile: Tile, to: number) => void} move
 * @property {(tile: Tile, key: string) => Tile | null} beside
 */

/** @param {HTMLElement} wall @param {Arranged} arranged @param {AbortSignal} signal */
export function arranging(wall, arranged, signal) {
  const tileOf = (/** @type {EventTarget | null} */ target) =>
    target instanceof Element && target.matches(".open") ? arranged.tiles().find((tile) => tile.contains(target)) : undefined;

  wall.addEventListener("keydown", (event) => {
    const tile = tileOf(event.target);
    if (!tile || !event.key.startsWith("Arrow") || event.ctrlKey || event.altKey || event.metaKey) return;
    const other = arranged.beside(tile, event.key);
    if (!event.shiftKey && !tile.querySelector(".open:focus-visible")) return;
    event.preventDefault();
    if (other && event.shiftKey) arranged.move(tile, arranged.tiles().indexOf(other));
    else if (other) other.focusPicture();
  }, { signal });

  wall.addEventListener("pointerdown", (event) => {
    const tile = tileOf(event.target);
    if (tile && event.isPrimary && event.button === 0) drag(wall, arranged, tile, event, signal);
  }, { signal });
}

/** @param {HTMLElement} wall @param {Arranged} arranged @param {Tile} tile @param {PointerEvent} begun @param {AbortSignal} life */
function drag(wall, arranged, tile, begun, life) {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, life]);
  const touch = begun.pointerType === "touch";
  let lifted = false;
  /** @type {Tile | null} */
  let onto = null;
  const lift = () => {
    lifted = true;
    tile.setAttribute("data-lifted", "");
    navigator.vibrate?.(10);
  };
  const timer = touch ? setTimeout(lift, LONG_MS) : undefined;
  /** @param {Tile | null} next */
  const aim = (next) => {
    onto?.removeAttribute("data-onto");
    onto = next;
    onto?.setAttribute("data-onto", "");
  };
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    aim(null);
    tile.removeAttribute("data-lifted");
    tile.style.transform = "";
  });
  const on = (/** @type {string} */ name, /** @type {(event: any) => void} */ act) =>
    addEventListener(name, act, { signal, capture: true, passive: false });

  on("pointermove", (/** @type {PointerEvent} */ event) => {
    const [x, y] = [event.clientX - begun.clientX, event.clientY - begun.clientY];
    const far = Math.hypot(x, y) > FAR;
    if (!lifted && far && touch) over.abort(); // it scrolls
    else if (!lifted && far) lift();
    if (!lifted) return;
    tile.style.transform = `translate(${x}px, ${y}px)`;
    const under = arranged.tiles().find((each) => each !== tile && within(each.getBoundingClientRect(), event));
    if ((under ?? null) !== onto) aim(under ?? null);
  });
  on("touchmove", (event) => lifted && event.preventDefault());
  on("contextmenu", (event) => lifted && event.preventDefault());
  on("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !lifted) return;
    event.preventDefault();
    over.abort();
    still(wall);
  });
  on("pointercancel", () => over.abort());
  on("pointerup", () => {
    const target = onto;
    if (lifted) still(wall);
    over.abort();
    if (target) arranged.move(tile, arranged.tiles().indexOf(target));
  });
}

/** The click that ends a drag opens nothing. @param {HTMLElement} wall */
function still(wall) {
  const stop = (/** @type {Event} */ event) => event.stopPropagation();
  wall.addEventListener("click", stop, { capture: true, once: true });
  setTimeout(() => wall.removeEventListener("click", stop, { capture: true }), 100);
}

/** @param {DOMRect} box @param {PointerEvent} event */
function within({ left, right, top, bottom }, { clientX, clientY }) {
  return clientX >= left && clientX < right && clientY >= top && clientY < bottom;
}
