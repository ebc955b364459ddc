// @ts-check
/**
 * Footage of one camera around the cursor: what is there, what is fetched next, and the player that
 * shows it. Decided in playqueue.js, done here.
 */

import { Trouble, now } from "./api.js";
import { cursor } from "./cursor.js";
import { still } from "./pictures.js";
import { Tape, brings, densityOf, keeping, wishFor } from "./playqueue.js";
import { timesOf, timingOf } from "./playread.js";
import { Prints } from "./prints.js";
import { recorder } from "./recorder.js";
import { Reel } from "./reel.js";
import { Supply } from "./supply.js";
import { codecs as codecWords } from "./words.js";

/** @typedef {import("./playread.js").Message} Message */
/** @typedef {import("./playqueue.js").Wish} Wish */

const JPEG = "mp4v.6C";
const FRESH_US = 1.5e6;
/** What was recorded last may not be told yet. */
const PATIENCE_MS = 400;
/** What is on its way may bring its first picture before another is asked for. */
const AGAIN_MS = 1000;
const KEEP_MS = 2000;
const BESIDE_US = 3e6;
const MOST_FAILURES = 3;
const SAME_US = 1000;
/** Media times are rounded. */

export class Roll {
  camera = "";
  tape = new Tape();
  /** @type {Reel | Prints | null} */
  player = null;
  /** The codec that this browser cannot play; empty where it can. */
  unplayed = "";

  /** @type {Supply | null} */
  #supply = null;
  /** Of what comes now. @type {{zero: number, timing: import("./playread.js").Timing | null}} */
  #head = { zero: 0, timing: null };
  /** What is fetched: which frames, and whether there is sound. */
  #density = "";
  #sound = false;
  #failures = 0;
  #failedAt = -Infinity;
  #keptAt = 0;

  /**
   * @param {HTMLCanvasElement} canvas keeps the last picture, and shows JPEGs
   * @param {HTMLVideoElement} video
   * @param {import("./pictures.js").Shown} shown
   */
  constructor(canvas, video, shown) {
    this.canvas = canvas;
    this.video = video;
    this.shown = shown;
  }

  /** Other frames are played at other rates, and sound at one alone. @param {number} rate @param {boolean} audible */
  choose(rate, audible) {
    const density = densityOf(rate);
    const sound = audible && (rate === 1 || (!rate && this.#sound));
    const stands = !rate && this.#density === "all"; // what was played is there
    if ((density === this.#density || stands) && sound === this.#sound) return;
    [this.#density, this.#sound] = [density, sound];
    this.restart();
  }

  /** Have a frame shown; whether it is. @param {number} frame @param {number} at @param {number} rate @returns {boolean} */
  show(frame, at, rate) {
    const { player } = this;
    if (player instanceof Prints) {
      player.show(frame);
      return player.seen === frame || (rate !== 0 && player.seen !== null);
    }
    if (!player) return false;
    this.video.muted = !this.#sound;
    const exact = Math.abs((player.seen ?? 0) - frame) < SAME_US;
    if (rate > 0 && densityOf(rate) === "all" && !cursor.scrubs) {
      const near = player.isAt(at);
      if (cursor.moves || !near) player.run(at, rate);
      else player.still(frame);
      return near || exact;
    }
    player.still(frame);
    return exact;
  }

  /** Whether it is video, and not pictures. */
  get plays() {
    return this.player instanceof Reel;
  }

  /** What is there is of no use any more; the last picture is. */
  restart() {
    this.cancel();
    this.tape.clear();
    const { videoWidth: width, videoHeight: height } = this.video;
    if (this.player instanceof Reel && width) still(this.canvas, this.video, width, height);
    this.video.parentElement?.removeAttribute("playing"); // the canvas is seen
    this.player?.close();
    this.player = null;
  }

  cancel() {
    this.#supply?.cancel();
    this.#supply = null;
  }

  /** Ask for what is needed next. @param {number} at @param {number} rate */
  fetch(at, rate) {
    const wish = wishFor(this.tape, at, rate, cursor.scrubs);
    const flight = this.#supply;
    const ahead = wish && wish.from >= now() * 1000;
    if (!wish || this.unplayed || ahead || performance.now() - this.#failedAt < AGAIN_MS) return;
    const waits = flight && !flight.came && performance.now() - flight.begun < PATIENCE_MS;
    if (waits || (flight && brings(flight.wish, wish))) return;
    void this.#load(wish);
  }

  /** Let go of what is far away by now. @param {number} at @param {number} rate */
  tidy(at, rate) {
    if (performance.now() - this.#keptAt < KEEP_MS) return;
    this.#keptAt = performance.now();
    const [from, to] = keeping(this.tape, at, rate);
    if (!this.tape.spans.some(([start, end]) => start < from || end > to)) return;
    this.tape.keep([[from, to]]);
    this.player?.keep(from, to);
  }

  /** The frame after or before: one that is there, or is fetched for that. @param {number} at @param {number} direction */
  async beside(at, direction) {
    const found = this.tape.beside(at, direction);
    if (found !== null || !this.camera || this.unplayed) return found;
    const edge = this.tape.reach(at, direction);
    const from = direction > 0 ? edge : Math.max(0, edge - BESIDE_US);
    await this.#load({ from, to: direction > 0 ? edge + BESIDE_US : edge, back: false });
    return this.tape.beside(at, direction);
  }

  /** @param {Wish} wish */
  async #load(wish) {
    this.cancel();
    const supply = new Supply(this.camera, wish, this.#density, this.#sound);
    this.#supply = supply;
    try {
      await supply.run((message) => this.#take(message, wish));
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.#failedAt = performance.now();
      recorder.doubt();
    }
    if (this.#supply === supply) this.#supply = null;
  }

  /** @param {Message} message @param {Wish} wish */
  #take(message, wish) {
    const { type, payload, wall_us: wall } = message;
    const { player } = this;
    if (type === "header") this.#begin(message);
    else if (type === "skipped") this.tape.learn(message.start_us, message.end_us);
    else if (type === "end") this.#ended(message, wish);
    else if (type === "picture" && player instanceof Prints) {
      player.put(wall, payload);
      this.tape.add([wall], wall + message.duration_us, payload.length);
    } else if (type === "fragment" && player instanceof Reel && this.#head.timing) {
      const times = timesOf(payload, this.#head.timing).map((time) => this.#head.zero + time);
      player.fragment(payload);
      this.tape.add(times.slice(0, -1), times[times.length - 1], payload.length);
    }
  }

  /** It is known now what there is. @param {Message} end @param {Wish} wish */
  #ended({ live, wall_us: wall }, wish) {
    this.#failures = 0;
    const end = live ? Math.max(wish.from, wall) : Math.min(wish.to, now() * 1000 - FRESH_US);
    this.tape.learn(wish.from, end);
  }

  /** @param {Message} header */
  #begin(header) {
    const { codecs, payload, wall_us: wall } = header;
    if (codecs === JPEG) {
      if (!(this.player instanceof Prints)) this.#change(new Prints(this.canvas, this.shown));
      return;
    }
    if (!Reel.plays(codecs)) {
      this.unplayed = codecWords([codecs]);
      return;
    }
    if (!(this.player instanceof Reel && this.player.reaches(wall))) {
      const hands = { shown: this.shown, settled: () => this.#settled(), failed: () => this.#failed() };
      this.#change(() => new Reel(this.video, wall, codecs, hands));
    }
    this.#head = { zero: wall, timing: timingOf(payload) };
    if (this.player instanceof Reel) this.player.header(header);
  }

  /** Another player, for what comes now. @param {Prints | (() => Reel)} player */
  #change(player) {
    const supply = this.#supply;
    this.#supply = null; // it goes on
    this.restart();
    this.#supply = supply;
    this.player = player instanceof Prints ? player : player();
  }

  /** Browsers may keep less than they were given. */
  #settled() {
    const spans = this.player instanceof Reel ? this.player.spans : null;
    if (spans) this.tape.keep(spans);
  }

  #failed() {
    this.player = null;
    this.restart();
    this.#failedAt = performance.now();
    if (++this.#failures >= MOST_FAILURES) this.unplayed = "H.264";
  }

  /** Another camera. */
  forget() {
    this.restart();
    this.#failures = 0;
    this.unplayed = "";
  }
}
