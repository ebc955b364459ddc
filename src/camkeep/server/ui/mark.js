// @ts-check
/**
 * `<camkeep-mark>`: what is marked on the timeline beside it can be kept as a clip, or downloaded. It is
 * seen while both marks are there.
 */

import { call } from "./api.js";
import { cursor } from "./cursor.js";
import { icon, make, write } from "./dom.js";
import { attempt, complaint } from "./forms.js";
import { go } from "./place.js";
import { recorder } from "./recorder.js";
import { say } from "./say.js";
import { styled } from "./style.js";
import { tell } from "./toast.js";
import { running, sized } from "./words.js";

/** @typedef {import("./marks.js").Marked} Marked */

const WAIT_MS = 300;

class Mark extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  /** @type {(Element & {marks: Marked}) | null} */
  #timeline = null;
  #length = make("b", { class: "time" });
  #what = make("span", { class: "quiet" });
  #name = make("input", { name: "name", maxlength: 200, autocomplete: "off", "aria-label": say.mark.name, placeholder: say.mark.name });
  #keep = make("button", { class: "primary" }, say.mark.keep);
  #save = make("a", { class: "button", download: "" }, icon("save"), say.watch.download);
  #told = complaint();
  #form = make(
    "form",
    { "aria-label": say.mark.keep },
    make("p", {}, this.#length, this.#what),
    this.#name,
    this.#keep,
    this.#save,
    make("button", { type: "button", class: "plain", "aria-label": say.app.cancel, title: say.app.cancel, onclick: () => this.#cancel() }, icon("close")),
    this.#told,
  );
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    this.hidden = true;
    this.replaceChildren(this.#form);
    this.parentElement?.addEventListener("marks", ({ target }) => {
      this.#timeline = /** @type {Element & {marks: Marked}} */ (target);
      void this.#update();
    }, { signal });
    cursor.addEventListener("change", () => this.hidden || this.#update(), { signal });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void attempt(this.#form, this.#told, () => this.#make());
    });
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  async #update() {
    const { in: from, out: to } = this.#timeline?.marks ?? { in: null, out: null };
    if (from === null || to === null) {
      this.hidden = true;
      return;
    }
    const { cameras } = cursor;
    const [one, ...more] = cameras;
    write(this.#length, running((to - from) / 1000));
    this.#keep.hidden = this.#name.hidden = !recorder.may("operator");
    this.#save.hidden = more.length > 0;
    const href = `/api/v1/cameras/${encodeURIComponent(one)}/video.mp4?from=${from}&to=${to}`;
    if (more.length) write(this.#what, this.#keep.hidden ? say.mark.oneOnly : say.mark.ofAll(cameras.length));
    else if (this.#save.getAttribute("href") !== href) this.#weigh(`/cameras/${encodeURIComponent(one)}/video.mp4/parts?from=${from}&to=${to}`);
    this.#save.setAttribute("href", href);
    if (!this.hidden) return;
    await styled(new URL("./mark.css", import.meta.url).pathname);
    write(this.#told, "");
    this.hidden = false;
  }

  /** Of what a camera has there. @param {string} path */
  #weigh(path) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      const found = await call("GET", path, undefined, this.#life?.signal).catch(() => null);
      const bytes = found?.parts.reduce((/** @type {number} */ sum, /** @type {{bytes: number}} */ part) => sum + part.bytes, 0);
      write(this.#what, found ? (bytes ? sized(bytes) : say.timeline.nothing) : "");
    }, WAIT_MS);
  }

  async #make() {
    const { in: from, out: to } = /** @type {{marks: Marked}} */ (this.#timeline).marks;
    const { id, name } = await call("POST", "/clips", { cameras: cursor.cameras, from, to, name: this.#name.value, held: true });
    this.#cancel();
    tell(say.mark.kept(name), { action: { word: say.mark.look, do: () => go({ view: "clips", id }) } });
  }

  #cancel() {
    this.#name.value = "";
    if (this.#timeline) this.#timeline.marks = { in: null, out: null };
  }
}

customElements.define("camkeep-mark", Mark);
export { Mark };
