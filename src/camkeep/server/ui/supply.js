// @ts-check
/** Footage of a camera as it comes: one stretch of time, asked for and read to its end. */

import { Trouble, troubleOf } from "./api.js";
import { PlayReader } from "./playread.js";

/** @typedef {import("./playread.js").Message} Message */
/** @typedef {import("./playqueue.js").Wish} Wish */

export class Supply {
  #life = new AbortController();
  begun = performance.now();
  /** Whether anything came by now. */
  came = false;

  /**
   * @param {string} camera
   * @param {Wish} wish
   * @param {string} density as `densityOf` gives it
   * @param {boolean} sound
   */
  constructor(camera, wish, density, sound) {
    this.wish = wish;
    const { from, to, back } = wish;
    const way = back ? "&direction=back" : "";
    const span = `from=${Math.floor(from)}&to=${Math.ceil(to)}`;
    const path = `/api/v1/cameras/${encodeURIComponent(camera)}/play`;
    this.address = `${path}?${span}&density=${density}${way}&sound=${sound}`;
  }

  /**
   * Take all that comes. Throws Trouble; ends early, without a word, where it was cancelled.
   *
   * @param {(message: Message) => void} take
   */
  async run(take) {
    const { signal } = this.#life;
    try {
      const answer = await fetch(this.address, { signal });
      if (!answer.ok || !answer.body) throw await troubleOf(answer);
      const [body, reader] = [answer.body.getReader(), new PlayReader()];
      for (let part = await body.read(); !part.done; part = await body.read()) {
        this.#hand(reader.push(part.value), take);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof TypeError) throw new Trouble("", 0); // nobody answers
      throw error;
    }
  }

  /** @param {Message[]} messages @param {(message: Message) => void} take */
  #hand(messages, take) {
    for (const message of messages) {
      if (this.#life.signal.aborted) return;
      if (message.type === "error") throw new Trouble(message.told, 500);
      this.came = true;
      take(message);
    }
  }

  cancel() {
    this.#life.abort();
  }
}
