// @ts-check
/**
 * `<camkeep-timeline>`: time, from 30 days to 10 seconds; what is kept of the cameras that are seen,
 * what is missing and why. Dragging it moves the cursor, and with it every picture.
 *
 * Out: `marks`, where a clip is to begin and end; event `marks` when they change.
 */

import { Trouble, now } from "./api.js";
import { Bubble } from "./bubble.js";
import { cursor } from "./cursor.js";
import { make, write } from "./dom.js";
import { footage } from "./footage.js";
import { gestures } from "./gestures.js";
import { keys } from "./keys.js";
import { Marks } from "./marks.js";
import { recorder } from "./recorder.js";
import { locale, say } from "./say.js";
import { Face } from "./timeface.js";
import { SECOND, followed, moment } from "./timescale.js";
import { EDGE_PX, View } from "./timeview.js";
import { besides, gapBeside, gapWords, there } from "./timewords.js";
import { tell } from "./toast.js";
import { rowAt } from "./tracks.js";
import { sentence } from "./words.js";

/** @typedef {import("./footage.js").Gap} Gap */
/** @typedef {import("./timewords.js").Seen} Seen */

const STEP = 2; // nearer or farther with one press of a key
const SLOW_MS = 250;
const NEAR_PX = 4;
const MOST_CAMERAS = 64;

class Timeline extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #slider = make("div", { class: "scale", role: "slider", tabindex: "0" });
  #notice = make("p", { class: "lost", role: "status", hidden: true });
  #said = make("p", { class: "sr", role: "status" });
  #view = new View();
  #face = new Face(this.#view);
  #bubble = new Bubble();
  #marks = new Marks({
    x: (at) => this.#view.x(at),
    at: ({ clientX }) => this.#view.at(clientX - this.getBoundingClientRect().left),
    changed: () => this.#marked(),
    show: (at) => (at === null ? cursor.settle() : cursor.seek(at, { scrub: true })),
  });
  /** Where somebody drags. @type {{x: number, moved: boolean} | null} */
  #drag = null;
  /** Where the pointer is. @type {{x: number, y: number, touch: boolean} | null} */
  #pointer = null;
  /** A gap that was walked to. @type {Gap | null} */
  #chosen = null;
  #frame = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    if (!this.childElementCount) this.#build();
    const sizes = new ResizeObserver(() => this.#resize());
    sizes.observe(this);
    const light = matchMedia("(prefers-color-scheme: light)");
    light.addEventListener("change", () => this.#resize(), { signal });
    gestures(this.#slider, this.#hands(), signal);
    keys(this.#keys(), signal);
    this.#slider.addEventListener("keydown", (event) => this.#walk(event), { signal });
    this.#slider.addEventListener("focus", () => this.#tell(), { signal });
    this.#slider.addEventListener("blur", () => this.#choose(null), { signal });
    cursor.addEventListener("change", () => this.#moved(), { signal });
    footage.addEventListener("change", () => this.#known(), { signal });
    document.addEventListener("visibilitychange", () => this.#redraw(), { signal });
    signal.addEventListener("abort", () => {
      sizes.disconnect();
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#timer);
      this.#frame = 0;
      footage.want([], 0, 0);
    });
    this.#view.width = this.clientWidth;
    this.#view.restore();
    this.#resize();
    this.#tell();
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  /** Where a clip is to begin and end: microseconds, or null. */
  get marks() {
    return this.#marks.value;
  }

  set marks(value) {
    this.#marks.value = value;
    this.#marked();
  }

  #build() {
    this.#slider.setAttribute("aria-label", say.timeline.name);
    this.#slider.setAttribute("aria-description", say.timeline.keys);
    const [canvas, ...words] = this.#face.parts;
    this.#slider.append(canvas, this.#marks.between, ...words);
    const { in: begin, out: end } = this.#marks.handles;
    this.append(this.#slider, begin, end, this.#notice, this.#bubble.element, this.#said);
  }

  #resize() {
    this.#view.width = this.clientWidth;
    if (this.clientWidth) this.#face.fit();
    this.#redraw();
  }

  /** @returns {Seen[]} */
  get #seen() {
    const names = new Map(recorder.cameras?.map(({ id, name }) => [id, name]));
    const of = (/** @type {string} */ id) => ({ id, name: names.get(id) ?? "", kept: footage.of(id) });
    return cursor.cameras.slice(0, MOST_CAMERAS).map(of);
  }

  /** The cursor is elsewhere, or does something else. */
  #moved() {
    if (!this.#drag) this.#view.reveal();
    this.#tell();
    this.#redraw();
  }

  #known() {
    this.#notice.hidden = !footage.told;
    write(this.#notice, sentence(footage.told));
    if (this.#slider.matches(":focus")) this.#tell();
    this.#redraw();
  }

  /** @param {number} factor @param {number} [at] */
  #zoom(factor, at) {
    this.#view.zoom(factor, at);
    this.#redraw();
  }

  #redraw() {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#tick());
  }

  /** Draw; and again a moment later where time goes on. */
  #tick() {
    this.#frame = 0;
    clearTimeout(this.#timer);
    if (!this.isConnected || document.hidden || !this.#view.width) return;
    if (this.#drag) this.#dragOn(this.#drag);
    else this.#view.follow();
    this.#draw();
    const speed = cursor.playing && !cursor.live ? Math.abs(cursor.rate) : 1;
    if (this.#drag || SECOND * speed > this.#view.long(4)) this.#redraw();
    else this.#timer = setTimeout(() => this.#redraw(), SLOW_MS);
  }

  #draw() {
    const { from, to } = this.#view.window;
    const seen = this.#seen;
    footage.want(seen.map(({ id }) => id), from, to);
    this.toggleAttribute("live", cursor.live);
    const cameras = seen.map(({ kept }) => kept);
    const shown = { cameras, now: now() * 1000, events: footage.events, chosen: this.#chosen };
    this.#face.draw(shown, cursor.at);
    this.#marks.place(this.#view.width);
    this.#hover();
  }

  /** @returns {import("./gestures.js").Hands} */
  #hands() {
    return {
      drag: (x, began) => {
        this.#drag = { x, moved: !began };
        if (began) this.#choose(null);
        this.#dragOn(this.#drag);
        this.#redraw();
      },
      drop: () => {
        this.#drag = null;
        cursor.settle();
      },
      zoom: (x, factor) => this.#zoom(factor, this.#view.at(x)),
      pan: (pixels) => {
        this.#view.pan(pixels);
        this.#redraw();
      },
      hover: (x, y, touch) => {
        this.#pointer = x === null ? null : { x, y, touch };
        this.#redraw();
      },
    };
  }

  /** The cursor is where the finger is; time moves along under one that is held at an end. */
  #dragOn(/** @type {{x: number, moved: boolean}} */ { x, moved }) {
    const { width } = this.#view;
    const out = Math.min(0, x - EDGE_PX) + Math.max(0, x - width + EDGE_PX);
    if (moved && out) this.#view.pan(Math.max(-EDGE_PX, Math.min(EDGE_PX, out)) / 4);
    const at = Math.min(this.#view.at(Math.max(0, Math.min(width, x))), now() * 1000);
    if (at !== cursor.at) cursor.seek(Math.round(at), { scrub: true });
  }

  /** The bubble: where the pointer is, else at the gap that was walked to. Where somebody drags, the
   * wall shows the picture; there it only tells what is missing. */
  #hover() {
    const pointer = this.#pointer;
    const at = pointer ? this.#view.at(pointer.x) : this.#chosen?.start;
    if (at === undefined) return this.#bubble.hide();
    const seen = this.#seen;
    const nowUs = now() * 1000;
    const near = this.#view.long(NEAR_PX);
    const gap = pointer ? null : this.#chosen;
    const told = gap
      ? [gapWords(gap, nowUs)]
      : [...there(seen, at, near, nowUs), ...besides(seen, footage.events, at, near)];
    const drags = pointer?.touch || this.#drag;
    if (at > nowUs || (drags && !told.length)) return this.#bubble.hide();
    const camera = pointer && !drags && seen[rowAt(seen.length, pointer.y)]?.id;
    const rough = Math.round(at / (near / 2)) * (near / 2);
    const picture = camera && footage.kept(camera, rough) ? { camera, at: rough } : null;
    const what = { x: this.#view.x(at), width: this.#view.width, told: told.join("\n") };
    return this.#bubble.show({ ...what, time: moment(at, nowUs, locale) }, picture);
  }

  /** @returns {Record<string, import("./keys.js").Act>} */
  #keys() {
    return {
      ArrowUp: () => this.#zoom(1 / STEP),
      ArrowDown: () => this.#zoom(STEP),
      Home: () => void this.#goOldest(),
      End: () => {
        this.#view.reveal(); // also where it is live already, and somebody looks elsewhere
        return false;
      },
      i: () => this.#marks.set("in", cursor.at),
      o: () => this.#marks.set("out", cursor.at),
    };
  }

  async #goOldest() {
    try {
      const first = await footage.next(this.#seen.map(({ id }) => id), 0, 1);
      if (first) cursor.seek(first.at);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      tell(sentence(error.message), { trouble: true });
    }
  }

  /** From gap to gap, and behind one. @param {KeyboardEvent} event */
  #walk(event) {
    const direction = { PageDown: 1, PageUp: -1 }[event.key];
    const chosen = this.#chosen;
    if (direction) {
      const gap = gapBeside(this.#seen, chosen?.start ?? cursor.at, direction);
      if (gap) this.#choose(gap);
      write(this.#said, gap ? gapWords(gap, now() * 1000) : say.timeline.noGap);
    } else if (chosen && event.key === "Enter" && !chosen.lasting) cursor.seek(chosen.end);
    else if (!chosen || event.key !== "Escape") return;
    if (!direction) this.#choose(null);
    event.preventDefault();
  }

  /** @param {Gap | null} gap */
  #choose(gap) {
    this.#chosen = gap;
    if (gap) this.#view.look(followed(this.#view.window, gap.start, 0.1, 0.8));
    else write(this.#said, "");
    this.#redraw();
  }

  /** What a screen reader says of the slider; not each second, which nobody could bear. */
  #tell() {
    const { at, live } = cursor;
    const nowUs = now() * 1000;
    const since = this.#seen.flatMap(({ kept }) => (kept ? [kept.since] : []));
    const told = live ? [] : there(this.#seen, at, 0, nowUs);
    const what = live ? say.live.live[0] : told.join(" ") || say.timeline.kept;
    const set = (/** @type {string} */ name, /** @type {number} */ us) =>
      this.#slider.setAttribute(name, String(Math.round(us / SECOND)));
    set("aria-valuemin", Math.min(at, ...since));
    set("aria-valuemax", nowUs);
    set("aria-valuenow", at);
    const words = live ? what : `${moment(at, nowUs, locale)}, ${what}`;
    this.#slider.setAttribute("aria-valuetext", words);
  }

  #marked() {
    this.dispatchEvent(new CustomEvent("marks", { bubbles: true, detail: this.marks }));
    this.#redraw();
  }
}

customElements.define("camkeep-timeline", Timeline);
export { Timeline };
