// @ts-check
/**
 * Record and Stop for one camera: a button, a sign that it records, and the clip to be downloaded
 * when it ends. Three parts, which a tile puts where they belong.
 */

import { Trouble, api, call, now } from "./api.js";
import { icon, make, write } from "./dom.js";
import { address } from "./place.js";
import { recorder } from "./recorder.js";
import { say } from "./say.js";
import { running, sentence, sized } from "./words.js";

/** @typedef {import("./api.js").Camera} Camera */
/** @typedef {import("./api.js").Clip} Clip */

const ASK_MS = 2000;
/** So often it asks how large a clip is by now. */

export class Record {
  button = make("button", { class: "record", type: "button" });
  sign = make("p", { class: "rec", hidden: true });
  saved = make("div", { class: "saved", role: "status", hidden: true });

  /** @type {Camera | null} */
  #camera = null;
  #word = make("span", { class: "label" });
  #time = make("span", { class: "time" });
  #size = make("span", { class: "size" });
  #askedAt = 0;
  /** @type {string | null} */
  #clip = null;
  /** When the clip that is being recorded began, by the recorder's clock. */
  #since = 0;
  #busy = false;

  constructor() {
    this.button.append(make("i", { class: "sign" }), this.#word);
    this.button.addEventListener("click", () => void this.press());
    this.sign.append(
      make("i", { class: "dot" }),
      make("span", { class: "sr" }, say.watch.recording),
      this.#time,
      this.#size,
    );
  }

  /** Whether a clip is being recorded. */
  get recording() {
    return this.#clip !== null;
  }

  /** Of that camera, as it is now. @param {Camera} camera */
  show(camera) {
    this.#camera = camera;
    if (camera.clip !== this.#clip) void this.#follow(camera.clip);
    this.update();
  }

  /** Record or Stop. */
  async press() {
    if (!this.#camera || this.#busy || this.button.hidden || this.button.disabled) return;
    this.#busy = true;
    const record = this.#clip === null;
    try {
      const pressed = await api.press(this.#camera.id, record);
      this.#clip = pressed.recording && pressed.clip ? pressed.clip.id : null;
      this.#begun(pressed.clip);
      if (record) this.#hideSaved();
      else if (pressed.clip && pressed.download) await this.#offer(pressed.clip, pressed.download);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.#showSaved(make("span", { class: "trouble" }, sentence(error.message)));
    } finally {
      this.#busy = false;
      this.update();
    }
  }

  /** Bring words and times up to date; once a second, and after each change. @param {boolean} [large] */
  update(large = false) {
    const camera = this.#camera;
    if (!camera) return;
    this.sign.hidden = !this.recording;
    write(this.#time, running(now() - this.#since));
    this.button.hidden = !recorder.may("operator") || !camera.watched || camera.state === "off";
    this.button.disabled = recorder.away !== null;
    this.button.setAttribute("aria-pressed", String(this.recording));
    const told = this.recording ? say.watch.stopOf : say.watch.recordOf;
    this.button.setAttribute("aria-label", told(camera.name));
    write(this.#word, this.recording ? say.watch.stop : say.watch.record);
    const before = Math.round(camera.pre_roll_s);
    const earlier = large && before && !this.recording ? say.watch.before(before) : "";
    if (earlier) this.button.dataset.before = earlier;
    else delete this.button.dataset.before;
    this.button.setAttribute("aria-description", earlier);
    if (large && this.recording && Date.now() - this.#askedAt > ASK_MS) void this.#weigh(camera.id);
  }

  /** How large is it by now? @param {string} id */
  async #weigh(id) {
    this.#askedAt = Date.now();
    const bytes = await api.recorded(id).catch(() => null);
    if (this.recording && bytes) write(this.#size, sized(bytes));
  }

  /** @param {Clip | null} clip */
  #begun(clip) {
    this.#since = clip ? clip.start_us / 1000 : now();
    this.#askedAt = 0;
    write(this.#size, "");
  }

  /** Another clip is being recorded, perhaps at somebody else's press. @param {string | null} id */
  async #follow(id) {
    if (this.#busy) return;
    this.#clip = id;
    this.#begun(null);
    if (id === null) return;
    try {
      const clip = await api.clip(id);
      if (this.#clip === id) this.#begun(clip);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error; // then its time counts from now
    }
    this.update();
  }

  /** @param {Clip} clip @param {string} download */
  async #offer(clip, download) {
    const found = await call("GET", `/clips/${encodeURIComponent(clip.id)}/video.mp4/parts`).catch(() => null);
    if (found && !found.parts.length) return this.#showSaved(make("span", {}, say.watch.nothingSaved));
    const [first, more] = found?.parts ?? [];
    const length = clip.end_us === null ? 0 : (clip.end_us - clip.start_us) / 1000;
    const link = more
      ? make("a", { href: address({ view: "clips", id: clip.id }) }, say.mark.look)
      : make("a", { href: download, download: "", "aria-label": say.watch.downloadOf(clip.name) }, icon("save"), say.watch.download);
    const time = make("span", { class: "time" }, running(length));
    const told = make("span", {}, say.watch.clip, " ", time);
    if (first && !more) told.append(" ", make("span", { class: "size" }, sized(first.bytes)));
    this.#showSaved(told, link);
    link.focus({ preventScroll: true });
  }

  /** @param {...Node} what */
  #showSaved(...what) {
    const close = { type: "button", class: "plain", "aria-label": say.app.dismiss };
    const button = make("button", close, icon("close"));
    button.addEventListener("click", () => this.#hideSaved());
    this.saved.replaceChildren(...what, button);
    this.saved.hidden = false;
  }

  #hideSaved() {
    if (this.saved.contains(document.activeElement)) this.button.focus({ preventScroll: true });
    this.saved.hidden = true;
    this.saved.replaceChildren();
  }
}
