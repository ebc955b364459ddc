// @ts-check
/** Draws JPEG pictures on a canvas, the newest one whenever the one before is done. */

/** @typedef {import("./wire.js").Frame} Frame */
/** @typedef {(wall: number, width: number, height: number) => void} Shown */

export class Pictures {
  /** @type {Frame | null} */
  #next = null;
  #busy = false;
  #closed = false;

  /** @param {HTMLCanvasElement} canvas @param {Shown} shown */
  constructor(canvas, shown) {
    this.canvas = canvas;
    this.shown = shown;
  }

  /** @param {Frame} frame */
  put(frame) {
    this.#next = frame;
    if (!this.#busy) void this.#draw();
  }

  close() {
    this.#closed = true;
    this.#next = null;
  }

  async #draw() {
    this.#busy = true;
    while (this.#next) {
      const frame = this.#next;
      this.#next = null;
      try {
        const bitmap = await createImageBitmap(new Blob([frame.data], { type: "image/jpeg" }));
        if (!this.#closed) this.#show(bitmap, frame.wall);
        bitmap.close();
      } catch {
        // a picture that is damaged: the one before stays
      }
    }
    this.#busy = false;
  }

  /** @param {ImageBitmap} bitmap @param {number} wall */
  #show(bitmap, wall) {
    still(this.canvas, bitmap, bitmap.width, bitmap.height);
    this.shown(wall, bitmap.width, bitmap.height);
  }
}

/**
 * Draw a picture, and keep it.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasImageSource} picture
 * @param {number} width
 * @param {number} height
 */
export function still(canvas, picture, width, height) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  canvas.getContext("2d", { alpha: false })?.drawImage(picture, 0, 0);
}
