// @ts-check
/** `<camkeep-clips>`: what people marked, the newest first; `#clips=ID` shows one of them alone. */

import { Trouble, call, now } from "./api.js";
import { Card, nameOf } from "./clip.js";
import { findable, fits } from "./clipfind.js";
import { icon, make, write } from "./dom.js";
import { address, place } from "./place.js";
import { recorder } from "./recorder.js";
import { button } from "./rows.js";
import { say } from "./say-more.js";
import { styled } from "./style.js";
import { sentence } from "./words.js";

/** @typedef {import("./clipfind.js").Clip} Clip */

const PAGE = 500;
const DRAWN = 60;

class Clips extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #all = make("a", { class: "up", href: address({ view: "clips" }) }, icon("back"), say.clips.all);
  #search = make("input", { type: "search", "aria-label": say.clips.search, placeholder: say.clips.search, autocomplete: "off", spellcheck: "false" });
  #count = make("p", { class: "quiet time", role: "status" });
  #list = make("ul", { class: "grid" });
  #note = make("div", { class: "none" });
  #more = button(say.clips.more, "", async () => {
    this.#drawn += DRAWN;
    if (this.#drawn > this.#known.size) await this.#rest();
    this.#draw();
  });
  /** @type {Map<string, Clip>} */
  #known = new Map();
  /** @type {Map<string, Card>} */
  #cards = new Map();
  /** Those on the screen say how large they are. */
  #sight = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      if (isIntersecting) void [...this.#cards.values()].find(({ element }) => element === target)?.weigh();
    }
  });
  /** How many more the recorder has; null until it said so. @type {number | null} */
  #left = null;
  #drawn = DRAWN;
  #told = "";

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    const head = make("header", { class: "head" }, make("h1", {}, say.app.clips), this.#count, this.#search);
    this.replaceChildren(this.#all, head, this.#list, this.#note, make("div", { class: "buttons" }, this.#more));
    this.#search.addEventListener("input", () => void this.#find(), { signal });
    addEventListener("hashchange", () => this.#draw(), { signal });
    recorder.addEventListener("change", () => recorder.away || void this.#look(), { signal });
    const timer = setInterval(() => this.#cards.forEach((card) => card.clip.end_us === null && card.tick()), 1000);
    signal.addEventListener("abort", () => clearInterval(timer));
    this.#draw();
    void this.#look();
  }

  disconnectedCallback() {
    this.#life?.abort();
    this.#sight.disconnect();
  }

  /** Ask for the newest anew; of the older ones we keep what we have. */
  async #look() {
    try {
      const { clips, left_out } = await page();
      const last = left_out ? clips[clips.length - 1].start_us : -Infinity;
      const older = [...this.#known.values()].filter(({ start_us }) => start_us < last);
      this.#known = new Map([...clips, ...older].map((clip) => [clip.id, clip]));
      this.#left = left_out - older.length;
      this.#told = "";
      const { id } = place();
      if (id && !this.#known.has(id)) await this.#rest();
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.#told = sentence(error.message);
    }
    this.#draw();
  }

  /** All others, too. */
  async #rest() {
    while (this.#left && this.#left > 0 && this.isConnected) {
      const { clips, left_out } = await page(Math.min(...[...this.#known.values()].map(({ start_us }) => start_us)));
      for (const clip of clips) this.#known.set(clip.id, clip);
      this.#left = left_out;
    }
  }

  /** What somebody types. */
  async #find() {
    this.#drawn = DRAWN;
    this.#draw();
    if (!this.#left) return;
    try {
      await this.#rest();
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.#told = sentence(error.message);
    }
    this.#draw();
  }

  #draw() {
    const { view, id } = place();
    if (view !== "clips") return;
    const typed = this.#search.value.trim();
    const nowMs = now();
    const all = [...this.#known.values()].sort((one, two) => two.start_us - one.start_us);
    const found = all.filter((clip) => (id ? clip.id === id : !typed || fits(findable(clip, clip.cameras.map(nameOf), nowMs), typed)));
    const empty = this.#left === 0 && !all.length;
    this.#all.hidden = !id;
    this.#list.classList.toggle("alone", Boolean(id));
    this.#search.hidden = Boolean(id) || empty;
    const count = typed ? found.length : all.length + (this.#left ?? 0);
    write(this.#count, id || empty || this.#left === null ? "" : say.clips.count(count));
    this.#fill(found.slice(0, this.#drawn));
    this.#more.hidden = Boolean(id) || (found.length <= this.#drawn && (typed !== "" || !this.#left));
    this.#note.hidden = found.length > 0 && !this.#told;
    if (!this.#note.hidden) this.#note.replaceChildren(...this.#why(empty));
  }

  /** What is there stays where it is, with the focus. @param {Clip[]} clips */
  #fill(clips) {
    const wanted = clips.map((clip) => this.#card(clip));
    /** @type {Set<Element>} */
    const keep = new Set(wanted.map(({ element }) => element));
    const children = [...this.#list.children];
    const lost = children.findIndex((each) => !keep.has(each) && each.contains(document.activeElement));
    for (const each of children) if (!keep.has(each)) each.remove();
    for (const [n, { element }] of wanted.entries()) {
      if (this.#list.children[n] !== element) this.#list.insertBefore(element, this.#list.children[n] ?? null);
    }
    if (lost >= 0) (wanted[Math.min(lost, wanted.length - 1)] ?? this.#search).focus();
    for (const id of this.#cards.keys()) if (!this.#known.has(id)) this.#cards.delete(id);
  }

  /** @param {Clip} clip */
  #card(clip) {
    const known = this.#cards.get(clip.id);
    if (known) known.show(clip);
    const card = known ?? new Card(clip, () => this.#look());
    this.#cards.set(clip.id, card);
    if (!known) this.#sight.observe(card.element);
    return card;
  }

  /** Why there is nothing. @param {boolean} empty @returns {Node[]} */
  #why(empty) {
    if (this.#told) return [make("p", {}, this.#told), button(say.app.tryNow, "", () => this.#look())];
    if (this.#left === null) return [make("p", { class: "quiet" }, say.app.loading)];
    if (!empty) return [make("p", { class: "quiet" }, place().id ? say.clips.unknown : say.clips.nothing)];
    const how = recorder.may("operator") ? say.clips.how : [say.clips.howOthers];
    const lines = how.map((line) => make("p", { class: "quiet" }, line));
    return [icon("clips"), make("h2", {}, say.clips.none), ...lines, make("a", { class: "button", href: address({}) }, say.app.watch)];
  }
}

/** @param {number} [before] @returns {Promise<{clips: Clip[], left_out: number}>} */
const page = (before) => call("GET", `/clips?limit=${PAGE}${before === undefined ? "" : `&before=${before}`}`);

await styled(new URL("./clips.css", import.meta.url).pathname);
customElements.define("camkeep-clips", Clips);
