// @ts-check
/**
 * `<camkeep-live camera=ID stream=main|sub>`: the live picture of a camera.
 *
 * In: those attributes; `sound` asks for sound, too; `rest` has nothing fetched. Out: `state`,
 * `told`, `shownAt`, `wall` and `shape`, and the events `live-state` (another state), `live-shape`
 * (another shape of the picture) and `live-lost` (the connection broke).
 *
 * One WebSocket while it is on the screen of a page that is seen; nothing otherwise. The last
 * picture stays until the next one comes. Where the browser cannot play what comes, it asks for
 * JPEG pictures instead, for a few cameras at a time: each takes one of the six connections that
 * a browser has.
 */

import { api } from "./api.js";
import { make } from "./dom.js";
import { Media, playable } from "./media.js";
import { Pictures, still } from "./pictures.js";
import { frameOf, saidBy } from "./wire.js";

/** @typedef {import("./wire.js").Frame} Frame */
/** @typedef {import("./wire.js").HeaderSaid} HeaderSaid */

const WAITS_MS = [300, 1000, 2000, 4000];
const NOT_ALLOWED = 1008;
const MOST_FALLBACKS = 3;
const LOOK_MS = 250;
const FALL_BACK_MS = 10_000;
/** Where pictures cannot be had either, they are asked for again after so long. */
const MANY_FAILURES = 3;

let fallbacks = 0;

export class Live extends HTMLElement {
  static observedAttributes = ["camera", "stream", "sound", "rest"];

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
  /** Its width by its height. @type {number | null} */
  shape = null;

  #canvas = make("canvas", { width: 16, height: 9 });
  #video = make("video", { playsinline: true, "aria-hidden": "true" });
  #image = make("img", { alt: "" });
  /** @type {AbortController | null} */
  #life = null;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Pictures | Media | null} */
  #player = null;
  #header = -1;
  /** What the recorder said when it ended the connection. */
  #farewell = "";
  #failures = 0;
  #unplayed = 0;
  #open = "";
  #inSight = false;
  #falling = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    this.#video.muted = true;
    if (!this.childElementCount) this.append(this.#canvas, this.#video, this.#image);
    const sight = new IntersectionObserver((seen) => {
      this.#inSight = seen[seen.length - 1].isIntersecting;
      this.#check();
    });
    sight.observe(this);
    signal.addEventListener("abort", () => sight.disconnect());
    document.addEventListener("visibilitychange", () => this.#check(), { signal });
  }

  disconnectedCallback() {
    this.#life?.abort();
    this.#inSight = false;
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
    const wanted = camera && this.#inSight && !document.hidden && !this.hasAttribute("rest");
    const address = wanted ? api.socket(camera, `?stream=${stream}&sound=${sound}`) : "";
    if (address === this.#open) return;
    this.#close();
    this.#failures = this.#unplayed = 0;
    this.#open = address;
    if (address) this.#connect();
  }

  #connect() {
    const socket = new WebSocket(this.#open);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.#socket) this.#take(data);
    });
    socket.addEventListener("close", ({ code }) => {
      if (code === NOT_ALLOWED) this.#failures = WAITS_MS.length; // others find out who may what
      if (socket === this.#socket) this.#lost();
    });
    this.#socket = socket;
  }

  #close() {
    clearTimeout(this.#timer);
    this.#hangUp();
    this.#open = "";
    this.#endPlayer();
    this.#endFallback();
    this.#say("connecting", "");
  }

  /** One that is not open yet is closed when it is: browsers complain otherwise. */
  #hangUp() {
    const socket = this.#socket;
    this.#socket = null;
    if (socket?.readyState === WebSocket.CONNECTING) {
      socket.addEventListener("open", () => socket.close());
    } else socket?.close();
  }

  #lost() {
    this.#socket = null;
    this.#endPlayer();
    const told =
      this.#farewell ||
      (this.#failures < MANY_FAILURES ? "" : "the recorder gives no picture of it");
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

  /** @param {string | ArrayBuffer} message */
  #take(message) {
    if (typeof message === "string") {
      const said = saidBy(message);
      if (said?.type === "header") this.#begin(said);
      else if (said?.type === "state" && said.state !== "live") this.#say(said.state, said.told);
      else if (said?.type === "end" && ["failed", "slow"].includes(said.why))
        this.#farewell = said.told;
    } else {
      const frame = frameOf(message);
      if (frame && frame.header === this.#header) this.#player?.put(frame);
    }
  }

  /** @param {HeaderSaid} header */
  #begin(header) {
    this.#endPlayer();
    this.#header = header.header & 0xffff;
    const shown = this.#shown.bind(this);
    if (header.mime === "image/jpeg") this.#player = new Pictures(this.#canvas, shown);
    else if (playable(header.mime)) {
      this.#player = new Media(this.#video, header.mime, shown, () => this.#playerFailed());
    } else this.#fallBack();
  }

  #playerFailed() {
    this.#hangUp();
    this.#endPlayer();
    if (++this.#unplayed > 2) this.#fallBack();
    else this.#again();
  }

  /** @param {number} wall @param {number} width @param {number} height */
  #shown(wall, width, height) {
    this.#failures = this.#unplayed = 0;
    this.wall = wall;
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

  /** The browser cannot play what comes: ask for pictures instead. */
  #fallBack() {
    this.#hangUp();
    if (fallbacks >= MOST_FALLBACKS) {
      this.#unplayable("This browser cannot play it here. Show the camera alone to see it.");
      return;
    }
    fallbacks++;
    this.#falling = true;
    this.#image.onerror = () => {
      this.#endFallback();
      this.#unplayable("");
    };
    this.#image.src = api.mjpeg(
      this.getAttribute("camera") ?? "",
      this.getAttribute("stream") ?? "main",
    );
    this.#look();
  }

  /** @param {string} told */
  #unplayable(told) {
    this.#say("unplayable", told);
    this.#timer = setTimeout(() => this.#fallBack(), FALL_BACK_MS);
  }

  /** Browsers do not tell of each picture: look whether there is one. */
  #look() {
    const { naturalWidth: width, naturalHeight: height } = this.#image;
    if (width) {
      this.setAttribute("pictures", "");
      this.shownAt = performance.now();
      this.#say("live", "");
      this.#shaped(width, height);
    }
    this.#timer = setTimeout(() => this.#look(), LOOK_MS);
  }

  #endFallback() {
    if (!this.#falling) return;
    clearTimeout(this.#timer);
    const { naturalWidth: width, naturalHeight: height } = this.#image;
    if (this.hasAttribute("pictures") && width) still(this.#canvas, this.#image, width, height);
    this.#falling = false;
    fallbacks--;
    this.#image.onerror = null;
    this.#image.removeAttribute("src");
    this.removeAttribute("pictures");
  }
}

customElements.define("camkeep-live", Live);
