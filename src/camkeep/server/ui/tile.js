// @ts-check
/**
 * `<camkeep-tile>`: one camera on the wall, or alone: its picture, what it is called, how it is,
 * and the Record button.
 *
 * In: `show`. Out: attributes `state`, `tone`, `recording`, `large`; events `camkeep-open` and
 * `camkeep-shape`, which bubble.
 */

import { Trouble, api, now } from "./api.js";
import { icon, make, write } from "./dom.js";
import { fullScreen, go } from "./place.js";
import { recorder } from "./recorder.js";
import { ago, moment, running, saying, sentence } from "./words.js";
import "./live.js";

/** @typedef {import("./api.js").Camera} Camera */

const OLD_MS = 3000;
/** A picture that is older, and much older than pictures of this camera are apart, says its age. */

class Tile extends HTMLElement {
  /** @type {Camera | null} */
  camera = null;

  /** @type {AbortController | null} */
  #life = null;
  #live = /** @type {import("./live.js").Live} */ (document.createElement("camkeep-live"));
  #open = make("button", { class: "open", type: "button" });
  #name = make("h2");
  #rec = make("p", { class: "rec", hidden: true });
  #time = make("span", { class: "time" });
  #word = make("strong");
  #told = make("span", { class: "told" });
  #age = make("span", { class: "age" });
  #record = make("button", { class: "record", type: "button" });
  #recordWord = make("span", { class: "label" });
  #when = make("p", { class: "when" });
  #sound = make("button", { class: "sound", type: "button", hidden: true });
  #notice = make("p", { class: "notice", hidden: true });
  #saved = make("div", { class: "saved", hidden: true });
  #clock = make("span", { class: "time" });
  /** @type {string | null} */
  #clip = null;
  /** When the clip that is being recorded began, by the recorder's clock. */
  #since = 0;
  #busy = false;

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    if (!this.childElementCount) this.#build();
    this.#open.addEventListener("click", () => this.#tell("camkeep-open"), { signal });
    this.#record.addEventListener("click", () => void this.press(), { signal });
    this.#sound.addEventListener("click", () => this.#switchSound(), { signal });
    this.#live.addEventListener("live-state", () => this.update(), { signal });
    this.#live.addEventListener("live-lost", () => recorder.doubt(), { signal });
    this.#live.addEventListener("live-shape", () => this.#tell("camkeep-shape"), { signal });
    this.update();
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  /** Width of the picture by its height; 16:9 until that is known. */
  get shape() {
    const video = this.camera?.streams.find((stream) => stream.video)?.video;
    return this.#live.shape ?? (video ? video.width / video.height : 16 / 9);
  }

  get large() {
    return this.hasAttribute("large");
  }

  /** Alone, or one of many. @param {boolean} large */
  set large(large) {
    this.toggleAttribute("large", large);
    if (!large && !this.#live.muted) this.#switchSound();
    this.#choose();
    this.update();
  }

  /** Show that camera as it is now. @param {Camera} camera */
  show(camera) {
    this.camera = camera;
    this.#live.setAttribute("camera", camera.id);
    this.#choose();
    if (camera.clip !== this.#clip) void this.#follow(camera.clip);
    this.update();
  }

  focusPicture() {
    this.#open.focus({ preventScroll: true });
  }

  /** Record or Stop. */
  async press() {
    if (!this.camera || this.#busy || this.#record.hidden || this.#record.disabled) return;
    this.#busy = true;
    const record = this.#clip === null;
    try {
      const pressed = await api.press(this.camera.id, record);
      this.#clip = pressed.recording && pressed.clip ? pressed.clip.id : null;
      this.#since = now();
      if (record) this.#hideSaved();
      else if (pressed.clip && pressed.download) this.#offer(pressed.clip, pressed.download);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.#complain(error.message);
    } finally {
      this.#busy = false;
      this.update();
    }
  }

  /** Bring words and times up to date; once a second, and after each change. */
  update() {
    if (!this.camera) return;
    const state = this.#state();
    const live = state === "live";
    const shown = this.#live.shownAt;
    const old =
      shown !== null && performance.now() - shown > Math.max(OLD_MS, 3 * this.#live.apart);
    const said = saying(state, this.#reason(state));
    this.setAttribute("state", state);
    this.setAttribute("tone", said.tone);
    this.toggleAttribute("old", old || (state !== "live" && shown !== null));
    write(this.#name, this.camera.name);
    this.#open.setAttribute(
      "aria-label",
      this.large ? this.camera.name : `Show ${this.camera.name} alone`,
    );
    this.#open.setAttribute("aria-description", said.word);
    this.#notice.hidden = state === "live" && !old;
    write(this.#word, state === "live" ? "Waiting for the next picture" : said.word);
    write(this.#told, said.told);
    write(
      this.#age,
      shown !== null && this.hasAttribute("old")
        ? `Picture of ${ago(performance.now() - shown)}`
        : "",
    );
    this.#updateBar(live && !old);
  }

  /** @param {boolean} live */
  #updateBar(live) {
    const recording = this.#clip !== null;
    this.toggleAttribute("recording", recording);
    this.#rec.hidden = !recording;
    write(this.#time, running(now() - this.#since));
    this.#record.hidden =
      !recorder.may("operator") || !this.camera?.watched || this.camera.state === "off";
    this.#record.disabled = recorder.away !== null;
    this.#record.setAttribute("aria-pressed", String(recording));
    this.#record.setAttribute(
      "aria-label",
      `${recording ? "Stop recording" : "Record"} ${this.camera?.name}`,
    );
    write(this.#recordWord, recording ? "Stop" : "Record");
    this.#when.toggleAttribute("live", live);
    const wall = this.#live.wall;
    write(this.#clock, wall === null ? "" : moment(wall, now()));
    const audible = this.camera?.streams.some((stream) => stream.audio) ?? false;
    this.#sound.hidden = !this.large || !audible;
    this.#sound.setAttribute("aria-pressed", String(!this.#live.muted));
  }

  /** The connection says it first, where there is one; else the recorder's list of cameras. */
  #state() {
    const known = this.camera?.state ?? "connecting";
    if (recorder.away && known !== "off") return "away";
    return this.#live.hasAttribute("rest") ? known : this.#live.state;
  }

  /** Why there is no picture, in the recorder's words. @param {string} state */
  #reason(state) {
    if (state === "live" || state === "away") return "";
    return this.#live.told || (state === this.camera?.state ? this.camera.told : "");
  }

  /** The small stream is enough for a small picture; nothing is asked for where nothing comes. */
  #choose() {
    const rest = recorder.away || !this.camera?.watched || this.camera.state === "off";
    this.#live.toggleAttribute("rest", Boolean(rest));
    const gone = ["waiting", "refused"].includes(this.camera?.state ?? "");
    if (gone && this.#live.hasAttribute("pictures")) this.#live.renew(); // nobody tells when the pictures of an <img> stop
    const small = this.camera?.streams.some((stream) => stream.name === "sub");
    this.#live.setAttribute("stream", small && !this.large ? "sub" : "main");
  }

  /** Another clip is being recorded, perhaps at somebody else's press. @param {string | null} id */
  async #follow(id) {
    if (this.#busy) return;
    this.#clip = id;
    this.#since = now();
    if (id === null) return;
    try {
      const clip = await api.clip(id);
      if (this.#clip === id) this.#since = clip.start_us / 1000;
    } catch (error) {
      if (!(error instanceof Trouble)) throw error; // then its time counts from now
    }
    this.update();
  }

  /** @param {import("./api.js").Clip} clip @param {string} download */
  #offer(clip, download) {
    const length = clip.end_us === null ? 0 : (clip.end_us - clip.start_us) / 1000;
    const link = make("a", { href: download, download: "" }, icon("save"), "Download");
    link.setAttribute("aria-label", `Download ${clip.name}`);
    this.#showSaved(
      make("span", {}, "Clip ", make("span", { class: "time" }, running(length))),
      link,
    );
    link.focus({ preventScroll: true });
  }

  /** @param {string} told */
  #complain(told) {
    this.#showSaved(make("span", { class: "trouble" }, sentence(told)));
  }

  /** @param {...Node} what */
  #showSaved(...what) {
    const close = make(
      "button",
      { type: "button", class: "plain", "aria-label": "Dismiss" },
      icon("close"),
    );
    close.addEventListener("click", () => this.#hideSaved());
    this.#saved.replaceChildren(...what, close);
    this.#saved.hidden = false;
  }

  #hideSaved() {
    if (this.#saved.contains(document.activeElement)) this.#record.focus({ preventScroll: true });
    this.#saved.hidden = true;
    this.#saved.replaceChildren();
  }

  #switchSound() {
    this.#live.muted = !this.#live.muted;
    this.#sound.replaceChildren(icon(this.#live.muted ? "mute" : "sound"));
    this.update();
  }

  #build() {
    this.#rec.append(
      make("i", { class: "dot" }),
      make("span", { class: "sr" }, "Recording"),
      this.#time,
    );
    this.#notice.append(icon("trouble"), this.#word, this.#told, this.#age);
    this.#record.append(make("i", { class: "sign" }), this.#recordWord);
    this.#when.append(
      make("i", { class: "dot" }),
      make("span", { class: "pill" }, "Live"),
      this.#clock,
    );
    this.#sound.append(icon("mute"), make("span", { class: "label" }, "Sound"));
    this.#saved.setAttribute("role", "status");
    const back = make(
      "button",
      { type: "button", class: "back", "aria-label": "Back to all cameras", onclick: () => go({}) },
      icon("back"),
    );
    const full = make(
      "button",
      { type: "button", class: "full", "aria-label": "Full screen", onclick: fullScreen },
      icon("full"),
    );
    const bar = make(
      "div",
      { class: "bar" },
      back,
      this.#name,
      this.#when,
      this.#sound,
      full,
      this.#record,
    );
    this.append(this.#live, this.#open, this.#notice, this.#rec, this.#saved, bar);
  }

  /** @param {string} name */
  #tell(name) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true }));
  }
}

customElements.define("camkeep-tile", Tile);
export { Tile };
