// @ts-check
/**
 * `<camkeep-then camera=ID>`: the picture of a camera at the cursor, wherever that is in time.
 *
 * In: `camera`; `sound` asks for sound, too; `rest` has nothing fetched. Out, as `<camkeep-live>`:
 * `state` (loading, playing, paused, gap, unplayable), `told`, `shownAt`, `wall`, `apart`, `shape`, and
 * the events `live-state` and `live-shape`. The last picture stays until the next one.
 */

import { now } from "./api.js";
import { cursor } from "./cursor.js";
import { make } from "./dom.js";
import { footage } from "./footage.js";
import { recorder } from "./recorder.js";
import { sight } from "./sight.js";
import { there } from "./timewords.js";
import { sentence } from "./words.js";

/** @typedef {import("./roll.js").Roll} Roll */

/** What footage is shown with: fetched when there is time, or when it is wanted. */
export const player = () => import("./roll.js");

export class Then extends HTMLElement {
  static observedAttributes = ["camera", "sound", "rest"];

  state = "loading";
  told = "";
  /** @type {number | null} */
  shownAt = null;
  /** @type {number | null} */
  wall = null;
  apart = 0;
  /** @type {number | null} */
  shape = null;

  #canvas = make("canvas", { width: 16, height: 9 });
  #video = make("video", { playsinline: true, "aria-hidden": "true" });
  /** Fetched when it is wanted first. @type {Roll | null} */
  #roll = null;
  #seen = false;
  #frame = 0;
  /** @type {AbortController | null} */
  #life = null;
  /** What the cursor knows of it. @type {{id: string, gone: boolean, beside: (at: number, direction: number) => Promise<number | null>}} */
  #self = { id: "", gone: false, beside: async (at, direction) => (await this.#rolls())?.beside(at, direction) ?? null };

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    this.#video.muted = true;
    if (!this.childElementCount) this.append(this.#canvas, this.#video);
    cursor.players.add(this.#self);
    signal.addEventListener("abort", () => {
      cursor.players.delete(this.#self);
      cursor.hold(this, false);
    });
    cursor.addEventListener("change", () => this.#check(), { signal });
    sight(this, signal, (seen) => {
      this.#seen = seen;
      this.#check();
    });
  }

  connectedMoveCallback() {} // what moves in the document without a break goes on
  disconnectedCallback() {
    this.#life?.abort();
    this.#seen = false;
    this.#forget();
    this.#check();
  }

  attributeChangedCallback() {
    const camera = this.getAttribute("camera") ?? "";
    if (camera !== this.#self.id) this.#forget();
    this.#self.id = camera;
    if (this.#roll) this.#roll.camera = camera;
    this.#check();
  }

  /** Whether nothing is heard. */
  get muted() {
    return !this.hasAttribute("sound");
  }

  set muted(muted) {
    this.toggleAttribute("sound", !muted);
  }

  /** The codec that this browser cannot play. */
  get unplayed() {
    return this.#roll?.unplayed ?? "";
  }

  /** Begin, or stop, to follow the cursor. */
  #check() {
    const follows = this.#seen && !cursor.live && this.#self.id && !this.hasAttribute("rest");
    if (follows && !this.#frame) {
      if (this.#roll) this.#tick(this.#roll);
      else void this.#rolls().then((roll) => roll && this.#check());
    }
    if (follows || !this.#frame) return;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#roll?.cancel();
    this.#video.pause();
    cursor.hold(this, false);
  }

  /** What shows footage; null where it cannot be fetched. @returns {Promise<Roll | null>} */
  async #rolls() {
    const found = await player().catch(() => null);
    if (!found) {
      recorder.doubt();
      return null;
    }
    this.#roll ??= new found.Roll(this.#canvas, this.#video, (...picture) => this.#shown(...picture));
    this.#roll.camera = this.#self.id;
    return this.#roll;
  }

  /** @param {Roll} roll */
  #tick(roll) {
    this.#frame = requestAnimationFrame(() => this.#tick(roll));
    const { at } = cursor;
    const rate = cursor.playing ? cursor.rate : 0;
    roll.choose(rate, this.hasAttribute("sound"));
    roll.fetch(at, rate);
    roll.tidy(at, rate);
    const frame = roll.tape.frameAt(at);
    const gone = frame === null && roll.tape.knows(at);
    const ready = frame !== null && roll.show(frame, at, rate);
    this.#self.gone = gone || this.unplayed !== "";
    const waits = !ready && !this.#self.gone && footage.kept(this.#self.id, at) !== false;
    cursor.hold(this, rate !== 0 && waits);
    this.#judge(at, rate, frame !== null && (ready || this.state !== "gap"), gone);
  }

  /** @param {number} at @param {number} rate @param {boolean} shown @param {boolean} gone */
  #judge(at, rate, shown, gone) {
    if (this.unplayed) this.#say("unplayable", "");
    else if (gone) this.#say("gap", this.#why(at));
    else if (!shown) this.#say("loading", "");
    else this.#say(rate ? "playing" : "paused", "");
  }

  /** Why there is nothing: in words. @param {number} at */
  #why(at) {
    const { id } = this.#self;
    const kept = footage.of(id);
    return kept ? sentence(there([{ id, name: "", kept }], at, 0, now() * 1000)[0] ?? "") : "";
  }

  /** Another camera. */
  #forget() {
    this.#roll?.forget();
    Object.assign(this, { shownAt: null, wall: null, shape: null });
    this.removeAttribute("shown");
  }

  /** @param {number} wall @param {number} width @param {number} height */
  #shown(wall, width, height) {
    const at = performance.now();
    this.apart = at - (this.shownAt ?? at);
    [this.wall, this.shownAt] = [wall, at];
    this.toggleAttribute("playing", this.#roll?.plays ?? false);
    this.setAttribute("shown", "");
    if (!height || this.shape === width / height) return;
    this.shape = width / height;
    this.dispatchEvent(new Event("live-shape"));
  }

  /** @param {string} state @param {string} told */
  #say(state, told) {
    if (this.state === state && this.told === told) return;
    [this.state, this.told] = [state, told];
    this.dispatchEvent(new Event("live-state"));
  }
}

customElements.define("camkeep-then", Then);
