// @ts-check
/**
 * What stands above the timeline where the pointer is, or at a gap that was walked to: the time,
 * what is there, and the picture of it where there is one.
 */

import { api } from "./api.js";
import { make, write } from "./dom.js";

const PAUSE_MS = 90;
const PATIENCE_MS = 5000;
const REST_MS = 30_000;
/** A camera of which there are no pictures is not asked for one again sooner. */
const SIZE = { width: 176, height: 99 };

export class Bubble {
  element = make("div", { class: "bubble", "aria-hidden": "true", hidden: true });
  #picture = make("canvas", SIZE);
  #time = make("span", { class: "time" });
  #told = make("span", { class: "told" });
  /** @type {{camera: string, at: number} | null} */
  #wish = null;
  #asking = false;
  /** Until when a camera is not asked. @type {Map<string, number>} */
  #rests = new Map();
  /** Whether it is going to be asked for. */
  #soon = false;

  constructor() {
    this.element.append(this.#picture, this.#time, this.#told);
  }

  /**
   * @param {{x: number, width: number, time: string, told: string}} what
   * @param {{camera: string, at: number} | null} picture of what to show one, if of anything
   */
  show({ x, width, time, told }, picture) {
    this.element.hidden = false;
    write(this.#time, time);
    write(this.#told, told);
    this.#wishFor(picture && !this.#isResting(picture.camera) ? picture : null);
    const half = this.element.offsetWidth / 2;
    this.element.style.translate = `${Math.round(Math.min(width - half - 8, Math.max(half + 8, x)) - half)}px 0`;
  }

  hide() {
    this.element.hidden = true;
    this.#wishFor(null);
    this.#picture.getContext("2d")?.clearRect(0, 0, SIZE.width, SIZE.height);
  }

  /** @param {{camera: string, at: number} | null} wish */
  #wishFor(wish) {
    const before = this.#wish;
    this.#picture.hidden = !wish;
    if (wish && before?.camera === wish.camera && before.at === wish.at) return;
    this.#wish = wish;
    this.#picture.toggleAttribute("old", true);
    if (!wish || this.#soon) return;
    this.#soon = true;
    setTimeout(() => void this.#ask(), PAUSE_MS);
  }

  /** @param {string} camera */
  #isResting(camera) {
    return performance.now() < (this.#rests.get(camera) ?? 0);
  }

  /** One picture at a time: the one that is wished for when the one before is there. */
  async #ask() {
    const wish = this.#wish;
    this.#soon = false;
    if (!wish || this.#asking) return;
    this.#asking = true;
    const picture = await pictureOf(wish.camera, wish.at);
    this.#asking = false;
    if (!picture) this.#rests.set(wish.camera, performance.now() + REST_MS);
    if (!this.#wish) {
      picture?.close();
      return;
    }
    if (picture) this.#draw(picture, wish.camera === this.#wish.camera);
    else this.#picture.hidden = true;
    if (wish === this.#wish) this.#picture.toggleAttribute("old", false);
    else void this.#ask();
  }

  /** @param {ImageBitmap} picture @param {boolean} same whether it is of the camera that is wished for */
  #draw(picture, same) {
    const { width, height } = SIZE;
    const part = Math.min(width / picture.width, height / picture.height);
    const [w, h] = [picture.width * part, picture.height * part];
    const context = this.#picture.getContext("2d");
    context?.clearRect(0, 0, width, height);
    if (same) context?.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
    picture.close();
  }
}

/** Null where there is none, for whatever reason: a picture beside the pointer is an extra. */
async function pictureOf(/** @type {string} */ camera, /** @type {number} */ at) {
  try {
    const answer = await fetch(api.picture(camera, at), { signal: AbortSignal.timeout(PATIENCE_MS) });
    return answer.ok ? await createImageBitmap(await answer.blob()) : null;
  } catch {
    return null;
  }
}
