// @ts-check
/** `<camkeep-wall>`: all cameras, or one of them alone, filling the room that there is. */

import { arranging } from "./arrange.js";
import { cursor } from "./cursor.js";
import { make } from "./dom.js";
import { fit } from "./fit.js";
import { arrangement } from "./layout-kept.js";
import { beside, moved, ordered, resized } from "./layout.js";
import { go } from "./place.js";
import { say } from "./say.js";
import { Tile } from "./tile.js";
import { tell } from "./toast.js";

/** @typedef {import("./api.js").Camera} Camera */
/** @typedef {import("./layout.js").Layout} Layout */

const TICK_MS = 1000;

class Wall extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #inner = make("div", { class: "tiles" });
  /** @type {string | null} */
  #large = null;
  /** @type {Camera[]} */
  #cameras = [];
  /** @type {import("./fit.js").Box[]} */
  #boxes = [];

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    this.replaceChildren(this.#inner);
    const sizes = new ResizeObserver(() => this.#arrange());
    sizes.observe(this);
    const tick = setInterval(() => this.#tick(), TICK_MS);
    signal.addEventListener("abort", () => {
      sizes.disconnect();
      clearInterval(tick);
    });
    this.addEventListener("camkeep-shape", () => this.#arrange(), { signal });
    this.addEventListener("camkeep-open", (event) => this.#opened(event.target), { signal });
    this.addEventListener("camkeep-size", (event) => this.#resize(event.target), { signal });
    const tiles = () => (this.#large === null ? this.tiles : []);
    const next = (/** @type {Tile} */ tile, /** @type {string} */ key) =>
      this.tiles[beside(this.#boxes, this.tiles.indexOf(tile), key)] ?? null;
    arranging(this, { tiles, move: (tile, to) => this.#move(tile, to), beside: next }, signal);
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  /** All of them, as somebody has ordered them here. */
  get cameras() {
    return ordered(this.#cameras, arrangement.get());
  }

  /** The tiles that are seen, as they stand. @returns {Tile[]} */
  get tiles() {
    return this.#ordered().filter((tile) => !tile.hidden);
  }

  /**
   * Show those cameras; `alone`: only that one, if it is among them.
   *
   * @param {Camera[]} cameras
   * @param {string | null} alone
   */
  show(cameras, alone) {
    this.#cameras = cameras;
    for (const [id, tile] of this.#tiles) {
      if (!cameras.some((camera) => camera.id === id)) {
        tile.remove();
        this.#tiles.delete(id);
      }
    }
    const focused = document.activeElement;
    ordered(cameras, arrangement.get()).forEach((camera, index) => {
      let tile = this.#tiles.get(camera.id);
      if (!tile) {
        tile = /** @type {Tile} */ (document.createElement("camkeep-tile"));
        this.#tiles.set(camera.id, tile);
      }
      put(this.#inner, tile, index);
      tile.show(camera);
    });
    if (focused instanceof HTMLElement && this.contains(focused)) focused.focus();
    this.#enlarge(alone);
    this.#arrange();
  }

  /** @param {string | null} id */
  #enlarge(id) {
    const before = this.#large;
    this.#large = id !== null && this.#tiles.has(id) ? id : null;
    this.toggleAttribute("alone", this.#large !== null);
    for (const [each, tile] of this.#tiles) {
      tile.hidden = this.#large !== null && each !== this.#large;
      tile.large = each === this.#large;
    }
    const first = !this.hasAttribute("shown"); // who comes by an address has moved nowhere
    this.setAttribute("shown", "");
    if (before !== this.#large && !first) this.#tiles.get(this.#large ?? before ?? "")?.focusPicture();
  }

  #arrange() {
    const { tiles } = this;
    const [width, height] = [this.clientWidth, this.clientHeight];
    const shapes = tiles.map((tile) => tile.shape);
    const whole = { x: 0, y: 0, width, height };
    const alone = this.#large !== null;
    const { large } = arrangement.get();
    const are = tiles.map((tile) => large.includes(tile.camera?.id ?? ""));
    const led = are.filter(Boolean).length;
    const wall = alone ? { boxes: [whole], height } : fit(shapes, width, height, 2, led);
    this.#boxes = wall.boxes;
    this.toggleAttribute("one-size", tiles.length < 2 || width < 640);
    this.#inner.style.height = `${wall.height}px`;
    tiles.forEach((tile, index) => {
      tile.twice = are[index];
      const box = wall.boxes[index];
      tile.style.translate = `${box.x}px ${box.y}px`;
      tile.style.width = `${box.width}px`;
      tile.style.height = `${box.height}px`;
    });
  }

  /** @param {Tile} tile @param {number} to */
  #move(tile, to) {
    const ids = this.tiles.map((each) => each.camera?.id ?? "");
    const id = tile.camera?.id ?? "";
    const told = say.watch.moved(tile.camera?.name ?? "", to + 1, ids.length);
    this.#change({ ...arrangement.get(), order: moved(ids, id, to) }, told);
    tile.focusPicture();
  }

  /** @param {EventTarget | null} target */
  #resize(target) {
    const camera = target instanceof Tile && target.camera;
    if (!camera) return;
    const layout = resized(arrangement.get(), camera.id);
    const large = layout.large.includes(camera.id);
    this.#change(layout, large ? say.watch.isLarge(camera.name) : say.watch.isUsual(camera.name));
  }

  /** @param {Layout} layout @param {string} told */
  #change(layout, told) {
    const before = arrangement.get();
    const set = (/** @type {Layout} */ to) => {
      arrangement.set(to);
      this.show(this.#cameras, this.#large);
    };
    set(layout);
    const usual = { word: say.watch.usualWall, do: () => set({ order: [], large: [] }) };
    tell(told, { undo: () => set(before), action: usual });
  }

  /** As they stand in the document. */
  #ordered() {
    return /** @type {Tile[]} */ ([...this.#inner.children]);
  }

  #tick() {
    if (document.hidden) return;
    for (const tile of this.tiles) tile.update();
  }

  /** @param {EventTarget | null} target */
  #opened(target) {
    if (!(target instanceof Tile) || !target.camera) return;
    if (this.#large === null) go({ camera: target.camera.id, at: cursor.live ? null : cursor.at });
  }
}

/**
 * Let it be there; where the browser can move what is there, its picture goes on.
 *
 * @param {HTMLElement & {moveBefore?: (node: Node, before: Node | null) => void}} inner
 * @param {Tile} tile
 * @param {number} index
 */
function put(inner, tile, index) {
  const there = inner.children[index] ?? null;
  if (there === tile) return;
  if (tile.isConnected && inner.moveBefore) inner.moveBefore(tile, there);
  else inner.insertBefore(tile, there);
}

customElements.define("camkeep-wall", Wall);
export { Wall };
