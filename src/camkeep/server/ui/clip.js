// @ts-check
/** One clip on the page of clips: its picture, what is said of it, and what can be done with it. */

import { api, call, now } from "./api.js";
import { icon, make, write } from "./dom.js";
import { address } from "./place.js";
import { recorder } from "./recorder.js";
import { trying, when } from "./rows.js";
import { say } from "./say-more.js";
import { pane, share } from "./share.js";
import { tell } from "./toast.js";
import { running, sized } from "./words.js";

/** @typedef {import("./clipfind.js").Clip} Clip */
/** @typedef {{camera: string, part: number, bytes: number, start_us: number}} File */

const WIDTH = 480;

/** @param {string} id @param {string} [more] */
const path = (id, more = "") => `/clips/${encodeURIComponent(id)}${more}`;

/** What a camera is called. @param {string} id */
export const nameOf = (id) => recorder.cameras?.find((camera) => camera.id === id)?.name ?? say.clips.removed;

export class Card {
  element = make("li", { class: "clip" });
  /** @type {Clip} */
  clip;
  /** @type {() => Promise<void>} */
  #changed;
  /** @type {File[] | null} */
  #files = null;
  #weighs = false;
  #image = make("img", { alt: "", decoding: "async", hidden: true, onload: () => (this.#image.hidden = false) });
  #length = make("span", { class: "time" });
  #open = make("a");
  #name = recorder.may("operator") ? this.#field() : make("h2");
  #told = make("p", { class: "quiet" });
  #size = make("span", { class: "bytes time" });
  #tools = make("div", { class: "acts" });
  #hold = this.#button("hold", () => this.#setHeld(!this.clip.held));
  #save = make("a", { download: "", onclick: (/** @type {Event} */ event) => this.#choose(event) }, icon("save"));
  #share = this.#button("share", () => Promise.resolve(share(this.clip)));
  #bin = this.#button("bin", () => this.#delete());

  /** @param {Clip} clip @param {() => Promise<void>} changed what to do when it was changed */
  constructor(clip, changed) {
    [this.clip, this.#changed] = [clip, changed];
    if (recorder.may("operator")) this.#tools.append(this.#hold, this.#share, this.#save, this.#bin);
    else {
      this.#save.append(say.watch.download);
      this.#tools.append(this.#save);
    }
    const picture = make("div", { class: "picture" }, icon("clips"), this.#image, this.#open, this.#length);
    this.element.append(picture, this.#name, this.#told, this.#tools);
    this.show(clip);
  }

  /** As it is now. @param {Clip} clip */
  show(clip) {
    const ended = clip.end_us !== this.clip.end_us;
    this.clip = clip;
    if (ended) void this.weigh(true);
    const { id, name, cameras, start_us, end_us, held } = clip;
    const at = Math.ceil(start_us / 1000) * 1000; // addresses name milliseconds: never one before it
    this.#open.href = address({ camera: cameras.length === 1 ? cameras[0] : null, at });
    this.#open.setAttribute("aria-label", say.clips.open(name));
    if (!(this.#name instanceof HTMLInputElement)) write(this.#name, name);
    else if (document.activeElement !== this.#name) this.#name.value = name;
    this.#told.replaceChildren(cameras.map(nameOf).join(", "), make("br"), when(start_us), this.#size);
    this.element.classList.toggle("going", end_us === null);
    this.#save.href = `/api/v1${path(id, "/video.mp4")}`;
    this.#share.hidden = this.#bin.hidden = end_us === null;
    const word = held ? say.clips.held : say.clips.hold;
    this.#hold.replaceChildren(icon(held ? "lock" : "unlocked"), word);
    this.#hold.setAttribute("aria-pressed", String(held));
    for (const [part, said] of /** @type {const} */ ([[this.#hold, word], [this.#save, say.watch.download], [this.#share, say.clips.share], [this.#bin, say.clips.remove]])) {
      part.title = part === this.#hold ? say.clips.holdTold : said;
      part.setAttribute("aria-label", `${said}: ${name}`);
    }
    this.tick();
  }

  /** Once a second. */
  tick() {
    const { start_us, end_us } = this.clip;
    write(this.#length, running(Math.abs((end_us ?? now() * 1000) - start_us) / 1000));
    if (end_us === null && this.#files && !this.#files.length) void this.weigh();
  }

  /** It is on the screen: how large is it, and from where is its picture? @param {boolean} [anew] */
  async weigh(anew = false) {
    if (this.#weighs || (this.#files?.length && !anew)) return;
    this.#weighs = true;
    await this.#find().catch(() => {}); // its size is not worth a complaint
    this.#weighs = false;
  }

  focus() {
    this.#open.focus();
  }

  /** What there is to download. Throws Trouble. */
  async #find() {
    const { id, cameras, end_us } = this.clip;
    const all = cameras.map(async (camera) => {
      const { parts } = await call("GET", path(id, `/video.mp4/parts?camera=${encodeURIComponent(camera)}`));
      return parts.map((/** @type {File} */ { part, bytes, start_us }) => ({ camera, part, bytes, start_us }));
    });
    const files = /** @type {File[]} */ ((await Promise.all(all)).flat());
    this.#files = files;
    const [first] = files;
    if (end_us !== null) {
      write(this.#size, first ? sized(files.reduce((sum, { bytes }) => sum + bytes, 0)) : say.clips.gone);
      this.#save.hidden = !first;
    }
    const picture = first && `${api.picture(first.camera, first.start_us)}&width=${WIDTH}`;
    if (picture && this.#image.getAttribute("src") !== picture) this.#image.src = picture;
    return files;
  }

  /** Of several cameras, or with long gaps, it is several files. @param {Event} event */
  #choose(event) {
    const { cameras, name } = this.clip;
    if (cameras.length < 2 && (this.#files?.length ?? 1) < 2) return;
    event.preventDefault();
    void trying(async () => {
      const links = (this.#files?.length ? this.#files : await this.#find()).map(({ camera, part, bytes }) => {
        const href = `${this.#save.href}?camera=${encodeURIComponent(camera)}&part=${part}`;
        const text = [nameOf(camera), part ? say.clips.part(part + 1) : "", sized(bytes)].filter(Boolean).join(" · ");
        return make("li", {}, make("a", { href, download: "", class: "button time" }, icon("save"), text));
      });
      pane(say.watch.downloadOf(name), make("ul", { class: "files" }, ...links));
    });
  }

  #field() {
    const field = make("input", { class: "name", maxlength: 200, spellcheck: "false", autocomplete: "off", "aria-label": say.mark.name });
    field.addEventListener("change", () => void this.#rename(field));
    field.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") field.value = this.clip.name;
      if (key === "Escape" || key === "Enter") field.blur();
    });
    return field;
  }

  /** @param {HTMLInputElement} field */
  async #rename(field) {
    const name = field.value.trim();
    if (name && name !== this.clip.name) await this.#change({ name });
    field.value = this.clip.name;
  }

  /** @param {{name?: string, held?: boolean}} wish */
  async #change(wish) {
    await trying(async () => {
      this.show({ ...this.clip, ...(await call("PATCH", path(this.clip.id), wish)) });
      await this.#changed();
    });
  }

  /** @param {boolean} held */
  async #setHeld(held) {
    await this.#change({ held });
    if (!held && !this.clip.held) tell(say.clips.letGo(this.clip.name), { undo: () => this.#setHeld(true) });
  }

  async #delete() {
    const { id, name } = this.clip;
    await call("DELETE", path(id));
    const undo = () => trying(async () => {
      await call("POST", path(id, "/restore"));
      await this.#changed();
    });
    tell(say.clips.deleted(name), { undo });
    await this.#changed();
  }

  /** @param {string} name @param {() => Promise<unknown>} work */
  #button(name, work) {
    return make("button", { type: "button", class: name, onclick: () => void trying(work) }, icon(name));
  }
}
