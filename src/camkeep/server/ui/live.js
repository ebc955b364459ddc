// @ts-check
/**
 * `<camkeep-live camera=ID stream=main|sub>`: the live picture of a camera.
 *
 * In: those attributes; `sound` asks for sound, too; `small` says that there is a small stream;
 * `rest` has nothing fetched. Out: `state`, `told`, `shownAt`, `wall`, `shape`, `header`, `instead`,
 * `delay` and `count`, and the events `live-state` (another state), `live-shape` (another shape of
 * the picture) and `live-lost` (the connection broke).
 *
 * One WebSocket while it is on the screen of a page that is seen; nothing otherwise. The last
 * picture stays until the next one comes. Where the browser cannot play what comes, it shows the
 * small stream instead, and where it cannot play that either, single pictures.
 */

import { api } from "./api.js";
import { make } from "./dom.js";
import { Media, playable } from "./media.js";
import { Images, room } from "./images.js";
import { Line } from "./line.js";
import { Pictures, still } from "./pictures.js";
import { say } from "./say.js";
import { sight } from "./sight.js";
import { frameOf, saidBy } from "./wire.js";

/** @typedef {import("./wire.js").HeaderSaid} HeaderSaid */

const WAITS_MS = [300, 1000, 2000, 4000];
const NOT_ALLOWED = 1008;
const FALL_BACK_MS = 10_000; // pictures that cannot be had either are asked for again
const MANY_FAILURES = 3;

export class Live extends HTMLElement {
  static observedAttributes = ["camera", "stream", "sound", "rest", "small", "floating"];

  /** connecting, live, waiting, refused, off, or unplayable */
  state = "connecting";
  /** Why there are no pictures: a sentence, or empty. */
  told = "";
  /** When the picture on the screen came there, as performance.now() has it; null for none.
   * @type {number | null} */
  shownAt = null;
  /** When that picture was taken: microseconds since 1970. @type {number | null} */
  wall = null;
  /** How long before that the one before it came: milliseconds. */
  apart = 0;
  shape = /** @type {number | null} */ (null); // its width by its height
  /** What comes is to be decoded by this. @type {HeaderSaid | null} */
  header = null;
  /** What is shown in place of a stream that the browser cannot play. @type {"" | "small" | "pictures"} */
  instead = "";
  unplayed = ""; // the codec that it cannot play
  /** From the camera's picture to the screen, by the recorder's clock: ms. @type {number | null} */
  delay = null;
  /** What came, and what was left out because this browser or the network was too slow. */
  count = { frames: 0, bytes: 0, skipped: 0 };

  #canvas = make("canvas", { width: 16, height: 9 });
  #video = make("video", { playsinline: true, "aria-hidden": "true" });
  #image = make("img", { alt: "" });
  /** @type {AbortController | null} */
  #life = null;
  /** @type {Line | null} */
  #line = null;
  /** @type {Pictures | Media | null} */
  #player = null;
  #ahead = 0; // how far the recorder's clock is before ours: ms
  /** @type {Images | null} */
  #images = null;
  /** What the recorder said when it ended the connection. */
  #farewell = "";
  #failures = 0;
  #unplayed = 0;
  #open = "";
  #address = ""; // the same, or that of the small stream in its place
  #seen = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  connectedCallback() {
    this.#life = new AbortController();
    this.#video.muted = true;
    if (!this.childElementCount) this.append(this.#canvas, this.#video, this.#image);
    sight(this, this.#life.signal, (seen) => {
      this.#seen = seen;
      this.#check();
    });
  }

  connectedMoveCallback() {} // what moves in the document without a break goes on
  disconnectedCallback() {
    this.#life?.abort();
    this.#seen = false;
    this.#close();
  }

  attributeChangedCallback() {
    this.#check();
  }

  /** Whether nothing is heard. */
  get muted() {
    return this.#video.muted;
  }

  set muted(muted) {
    this.#video.muted = muted;
    this.toggleAttribute("sound", !muted);
  }

  /** Ask for everything anew. */
  renew() {
    this.#close();
    this.#check();
  }

  /** Connect, or let go, as it is wanted now. */
  #check() {
    const camera = this.getAttribute("camera");
    const stream = this.getAttribute("stream") ?? "main";
    const sound = this.hasAttribute("sound") ? 1 : 0;
    const seen = this.#seen || this.hasAttribute("floating"); // in a window of its own
    const wanted = camera && seen && !this.hasAttribute("rest");
    const address = wanted ? api.socket(camera, `?stream=${stream}&sound=${sound}`) : "";
    if (address === this.#open) return;
    this.#close();
    this.#failures = this.#unplayed = 0;
    Object.assign(this, { header: null, wall: null, delay: null, instead: "", unplayed: "" });
    this.#open = this.#address = address;
    if (address) this.#connect();
  }

  #connect() {
    this.#line = new Line(
      this.#address,
      (message) => (typeof message === "string" ? this.#told(message) : this.#came(message)),
      (code) => {
        if (code === NOT_ALLOWED) this.#failures = WAITS_MS.length; // others find out who may what
        this.#lost();
      },
    );
  }

  #close() {
    clearTimeout(this.#timer);
    this.#hangUp();
    this.#open = "";
    this.#endPlayer();
    this.#endImages();
    this.#say("connecting", "");
  }

  #hangUp() {
    this.#line?.close();
    this.#line = null;
  }

  #lost() {
    this.#line = null;
    this.#endPlayer();
    const told = this.#farewell || (this.#failures < MANY_FAILURES ? "" : say.live.noPicture);
    this.#farewell = "";
    this.#say(told ? "waiting" : "connecting", told);
    this.#again();
    this.dispatchEvent(new Event("live-lost"));
  }

  /** Connect anew, after a while. */
  #again() {
    clearTimeout(this.#timer);
    const wait = WAITS_MS[Math.min(this.#failures++, WAITS_MS.length - 1)];
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  /** @param {string} message */
  #told(message) {
    const said = saidBy(message);
    if (said?.type === "header") this.#begin(said);
    else if (said?.type === "state" && said.state !== "live") this.#say(said.state, said.told);
    else if (said?.type === "skipped") this.count.skipped += said.frames;
    else if (said?.type === "end" && ["failed", "slow"].includes(said.why)) this.#farewell = said.told;
  }

  /** @param {ArrayBuffer} message */
  #came(message) {
    const frame = frameOf(message);
    // no picture is there before it was taken: so the clock is at least that far ahead
    if (frame?.picture) this.#ahead = Math.max(this.#ahead, frame.wall / 1000 - Date.now());
    this.count.bytes += message.byteLength;
    this.count.frames += Number(frame?.picture ?? 0);
    if (frame && frame.header === ((this.header?.header ?? -1) & 0xffff)) this.#player?.put(frame);
  }

  /** @param {HeaderSaid} header */
  #begin(header) {
    this.#endPlayer();
    this.header = header;
    if (!header.header) this.#ahead = header.now_us / 1000 - Date.now();
    const shown = this.#shown.bind(this);
    const failed = () => this.#playerFailed();
    if (header.mime === "image/jpeg") this.#player = new Pictures(this.#canvas, shown);
    else if (playable(header.mime))
      this.#player = new Media(this.#video, header.mime, shown, failed);
    else this.#fallBack(header);
  }

  #playerFailed() {
    this.#hangUp();
    this.#endPlayer();
    if (++this.#unplayed > 2 && this.header) this.#fallBack(this.header);
    else this.#again();
  }

  /** @param {number} wall @param {number} width @param {number} height */
  #shown(wall, width, height) {
    this.#failures = this.#unplayed = 0;
    this.wall = wall;
    this.delay = Math.max(0, Date.now() + this.#ahead - wall / 1000);
    const now = performance.now();
    this.apart = now - (this.shownAt ?? now);
    this.shownAt = now;
    this.toggleAttribute("playing", this.#player instanceof Media);
    this.#say("live", "");
    this.#shaped(width, height);
  }

  /** @param {number} width @param {number} height */
  #shaped(width, height) {
    if (!height || this.shape === width / height) return;
    this.shape = width / height;
    this.dispatchEvent(new Event("live-shape"));
  }

  /** @param {string} state @param {string} told */
  #say(state, told) {
    if (this.state === state && this.told === told) return;
    this.state = state;
    this.told = told;
    this.dispatchEvent(new Event("live-state"));
  }

  /** Let the player go; what it showed last stays. */
  #endPlayer() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (this.hasAttribute("playing") && width) still(this.#canvas, this.#video, width, height);
    this.removeAttribute("playing");
    this.#player?.close();
    this.#player = null;
  }

  /** The browser cannot play what comes: show the small stream instead, or else pictures. @param {HeaderSaid} header */
  #fallBack(header) {
    this.#hangUp();
    this.unplayed ||= header.codecs[0];
    const large = (this.getAttribute("stream") ?? "main") === "main";
    if (this.instead || !large || !this.hasAttribute("small")) {
      this.#showImages();
      return;
    }
    this.instead = "small";
    this.#unplayed = 0;
    this.#address = this.#open.replace("stream=main", "stream=sub");
    this.#connect();
  }

  #showImages() {
    if (!room()) {
      this.#unplayable(say.live.tooMany);
      return;
    }
    this.instead = "pictures";
    this.wall = this.delay = null;
    const stream = this.getAttribute("stream") ?? "main";
    const address = api.mjpeg(this.getAttribute("camera") ?? "", stream);
    /** @param {number} width @param {number} height */
    const shown = (width, height) => {
      this.setAttribute("pictures", "");
      this.shownAt = performance.now();
      this.#say("live", "");
      this.#shaped(width, height);
    };
    this.#images = new Images(this.#image, address, shown, () => {
      this.#endImages();
      this.#unplayable("");
    });
  }

  /** @param {string} told */
  #unplayable(told) {
    this.#say("unplayable", told);
    this.#timer = setTimeout(() => this.#showImages(), FALL_BACK_MS);
  }

  #endImages() {
    this.#images?.close(this.#canvas);
    this.#images = null;
    this.removeAttribute("pictures");
  }
}

customElements.define("camkeep-live", Live);
