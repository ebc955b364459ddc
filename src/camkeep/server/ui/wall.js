// @ts-check
/**
 * `<camkeep-wall>`: all cameras, or one of them alone. Which one stands in the address
 * (`#camera=ID`), so that Back, a reload and a link do what one expects.
 */

import { make } from "./dom.js";
import { fit } from "./fit.js";
import { fullScreen, go, place } from "./place.js";
import { recorder } from "./recorder.js";
import { Tile } from "./tile.js";

const TICK_MS = 1000;

class Wall extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #inner = make("div", { class: "tiles" });
  /** @type {string | null} */
  #large = null;

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
    recorder.addEventListener("change", () => this.#update(), { signal });
    addEventListener("hashchange", () => this.#update(), { signal });
    addEventListener("keydown", (event) => this.#key(event), { signal });
    this.addEventListener("camkeep-shape", () => this.#arrange(), { signal });
    this.addEventListener("camkeep-open", (event) => this.#toggle(event.target), { signal });
    this.#update();
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  #update() {
    const cameras = recorder.cameras ?? [];
    for (const [id, tile] of this.#tiles) {
      if (!cameras.some((camera) => camera.id === id)) {
        tile.remove();
        this.#tiles.delete(id);
      }
    }
    cameras.forEach((camera, index) => {
      let tile = this.#tiles.get(camera.id);
      if (!tile) {
        tile = /** @type {Tile} */ (document.createElement("camkeep-tile"));
        this.#tiles.set(camera.id, tile);
      }
      if (this.#inner.children[index] !== tile) {
        this.#inner.insertBefore(tile, this.#inner.children[index] ?? null);
      }
      tile.show(camera);
    });
    this.#enlarge(place().camera);
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
    if (before !== this.#large) this.#tiles.get(this.#large ?? before ?? "")?.focusPicture();
  }

  #arrange() {
    const tiles = [...this.#tiles.values()].filter((tile) => !tile.hidden);
    const [width, height] = [this.clientWidth, this.clientHeight];
    const whole = { x: 0, y: 0, width, height };
    const wall =
      this.#large === null
        ? fit(
            this.#ordered(tiles).map((tile) => tile.shape),
            width,
            height,
          )
        : { boxes: [whole], height };
    this.#inner.style.height = `${wall.height}px`;
    this.#ordered(tiles).forEach((tile, index) => {
      const box = wall.boxes[index];
      tile.style.translate = `${box.x}px ${box.y}px`;
      tile.style.width = `${box.width}px`;
      tile.style.height = `${box.height}px`;
    });
  }

  /** As they stand in the document. @param {Tile[]} tiles */
  #ordered(tiles) {
    const all = [...this.#inner.children];
    return tiles.sort((a, b) => all.indexOf(a) - all.indexOf(b));
  }

  #tick() {
    if (document.hidden) return;
    for (const tile of this.#tiles.values()) if (!tile.hidden) tile.update();
  }

  /** @param {EventTarget | null} target */
  #toggle(target) {
    if (!(target instanceof Tile) || !target.camera) return;
    if (this.#large === null) go({ camera: target.camera.id });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.checkVisibility()) return;
    if (event.target instanceof HTMLInputElement) return;
    const tiles = this.#ordered([...this.#tiles.values()]);
    const key = event.key.toLowerCase();
    if (key === "escape" && this.#large !== null) go({});
    else if (key === "r") void this.#chosen(tiles)?.press();
    else if (key === "f") void fullScreen();
    else if (/^[1-9]$/.test(key) && tiles[Number(key) - 1]?.camera) {
      go({ camera: tiles[Number(key) - 1].camera?.id ?? "" });
    } else return;
    event.preventDefault();
  }

  /** The camera that is alone, has the focus, or is the only one. @param {Tile[]} tiles */
  #chosen(tiles) {
    if (this.#large !== null) return this.#tiles.get(this.#large);
    const focused = document.activeElement?.closest("camkeep-tile");
    return tiles.find((tile) => tile === focused) ?? (tiles.length === 1 ? tiles[0] : undefined);
  }
}

customElements.define("camkeep-wall", Wall);
