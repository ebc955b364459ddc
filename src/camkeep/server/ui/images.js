// @ts-check
/**
 * Single pictures in an `<img>`: what every browser shows, and the last that is tried. Each takes
 * one of the six connections that a browser has to a recorder, so only a few are there at a time.
 */

import { still } from "./pictures.js";

const MOST = 3;
const LOOK_MS = 250;

let open = 0;

/** Whether there is room for another. */
export const room = () => open < MOST;

export class Images {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {HTMLImageElement} image
   * @param {string} address
   * @param {(width: number, height: number) => void} shown again and again: browsers do not tell of
   *   each picture
   * @param {() => void} failed
   */
  constructor(image, address, shown, failed) {
    this.image = image;
    this.shown = shown;
    open++;
    image.onerror = failed;
    image.src = address;
    this.#look();
  }

  /** Let go; the last picture stays on the canvas. @param {HTMLCanvasElement} canvas */
  close(canvas) {
    clearTimeout(this.#timer);
    open--;
    const { naturalWidth: width, naturalHeight: height } = this.image;
    if (width) still(canvas, this.image, width, height);
    this.image.onerror = null;
    this.image.removeAttribute("src");
  }

  #look() {
    const { naturalWidth: width, naturalHeight: height } = this.image;
    if (width) this.shown(width, height);
    this.#timer = setTimeout(() => this.#look(), LOOK_MS);
  }
}
