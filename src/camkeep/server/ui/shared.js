// @ts-check
/** `<camkeep-shared>`: what a link to a clip shows (`#shared=SECRET`), to whoever has it. */

import { Trouble, call } from "./api.js";
import { icon, make } from "./dom.js";
import { brand } from "./login.js";
import { place } from "./place.js";
import { at, button, when } from "./rows.js";
import { say } from "./say-more.js";
import { styled } from "./style.js";
import { running, sentence, sized } from "./words.js";

/** @typedef {{name: string, start_us: number, end_us: number, expires_us: number, movies: number[][]}} Told */

class Shared extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #sheet = make("section", { class: "sheet wide" });

  connectedCallback() {
    this.#life = new AbortController();
    this.replaceChildren(this.#sheet);
    addEventListener("hashchange", () => void this.#look(), { signal: this.#life.signal });
    void this.#look();
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  async #look() {
    const { shared } = place();
    if (!shared) return;
    this.#sheet.replaceChildren(brand(), make("p", { class: "quiet" }, say.app.loading));
    const path = `/shared/${encodeURIComponent(shared)}`;
    try {
      const told = await call("GET", path, undefined, this.#life?.signal);
      if (place().shared === shared) this.#sheet.replaceChildren(brand(), ...content(told, `/api/v1${path}/video.mp4`));
    } catch (error) {
      if (this.#life?.signal.aborted) return;
      if (!(error instanceof Trouble)) throw error;
      const again = error.status !== 404 && button(say.app.tryNow, "", () => this.#look());
      const why = [make("h1", {}, say.clips.noLink), make("p", { class: "quiet" }, sentence(error.message))];
      this.#sheet.replaceChildren(brand(), ...why, make("div", { class: "buttons" }, ...(again ? [again] : [])));
    }
  }
}

/** @param {Told} told @param {string} movie @returns {Node[]} */
function content({ name, start_us, end_us, expires_us, movies }, movie) {
  const length = make("span", { class: "time" }, running((end_us - start_us) / 1000));
  const files = movies.flatMap((parts, camera) =>
    parts.map((bytes, part) => file(`${movie}?camera=${camera}&part=${part}`, bytes, part ? say.clips.part(part + 1) : "")),
  );
  return [
    make("h1", {}, name),
    make("p", { class: "quiet" }, when(start_us), " · ", length),
    ...(files.length ? files : [make("p", { class: "note" }, say.clips.gone)]),
    make("p", { class: "hint" }, at(say.clips.holdsUntil, expires_us)),
  ];
}

/** A video, and the same to be saved. @param {string} src @param {number} bytes @param {string} told */
function file(src, bytes, told) {
  const failed = () => video.replaceWith(make("p", { class: "note", role: "status" }, say.clips.unplayable));
  const video = make("video", { controls: true, playsinline: true, preload: "metadata", src, onerror: failed });
  const link = make("a", { class: "button", href: src, download: "" }, icon("save"), say.watch.download);
  return make("figure", { class: "shared" }, video, make("figcaption", {}, link, make("span", { class: "quiet time" }, [told, sized(bytes)].filter(Boolean).join(" · "))));
}

await styled(new URL("./clips.css", import.meta.url).pathname);
customElements.define("camkeep-shared", Shared);
