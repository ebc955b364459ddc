// @ts-check
/** Shows JPEGs that were recorded, each at its time, on a canvas. */

import { still } from "./pictures.js";

export class Prints {
  /** @type {Map<number, Uint8Array<ArrayBuffer>>} */
  #prints = new Map();
  #wanted = 0;
  #drawing = false;
  #closed = false;
  /** When the one that is seen was taken. @type {number | null} */
  seen = null;

  /** @param {HTMLCanvasElement} canvas @param {import("./pictures.js").Shown} shown */
  constructor(canvas, shown) {
    this.canvas = canvas;
    this.shown = shown;
  }

  /** @param {number} wall @param {Uint8Array<ArrayBuffer>} data */
  put(wall, data) {
    this.#prints.set(wall, data);
  }

  /** @param {number} from @param {number} to */
  keep(from, to) {
    for (const wall of this.#prints.keys()) if (wall < from || wall > to) this.#prints.delete(wall);
  }

  /** The one that was taken then; of several, while one is drawn, the last that was asked for. @param {number} wall */
  show(wall) {
    this.#wanted = wall;
    if (!this.#drawing && this.seen !== wall) void this.#draw();
  }

  close() {
    this.#closed = true;
    this.#prints.clear();
  }

  async #draw() {
    this.#drawing = true;
    while (this.seen !== this.#wanted && !this.#closed) {
      const wall = this.#wanted;
      const data = this.#prints.get(wall);
      if (!data) break;
      try {
        const bitmap = await createImageBitmap(new Blob([data], { type: "image/jpeg" }));
        if (!this.#closed) {
          still(this.canvas, bitmap, bitmap.width, bitmap.height);
          this.shown(wall, bitmap.width, bitmap.height);
        }
        bitmap.close();
      } catch {
        // a picture that is damaged: the one before stays
      }
      this.seen = wall;
    }
    this.#drawing = false;
  }
}
