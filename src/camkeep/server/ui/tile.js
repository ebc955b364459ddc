// @ts-check
/**
 * `<camkeep-tile>`: one camera on the wall, or alone: its picture, what it is called, how it is,
 * and the Record button.
 *
 * In: `show`. Out: attributes `state`, `tone`, `recording`, `large`; events `camkeep-open` and
 * `camkeep-shape`, which bubble.
 */

import { cursor } from "./cursor.js";
import { icon, make, write } from "./dom.js";
import { footage } from "./footage.js";
import { fullScreen, go } from "./place.js";
import { Record } from "./record.js";
import { recorder } from "./recorder.js";
import { trying } from "./rows.js";
import { say } from "./say.js";
import { Tools } from "./tools.js";
import { ago, codecs, saying } from "./words.js";
import { Zoom } from "./zoom.js";
import "./live.js";
import "./then.js";

/** @typedef {import("./api.js").Camera} Camera */

const FINE = ["live", "playing", "paused"];
const OLD_MS = 3000;
/** A picture that is older, and much older than pictures of this camera are apart, says its age. */

class Tile extends HTMLElement {
  /** @type {Camera | null} */
  camera = null;
  record = new Record();

  /** @type {AbortController | null} */
  #life = null;
  live = /** @type {import("./live.js").Live} */ (document.createElement("camkeep-live"));
  /** The picture at the cursor where that is not live. */
  then = /** @type {import("./then.js").Then} */ (document.createElement("camkeep-then"));
  #open = make("button", { class: "open", type: "button" });
  #next = make("button", { class: "next", type: "button", onclick: () => void this.#goOn() }, say.watch.nextPicture);
  #mend = make("button", { class: "next", type: "button", onclick: () => go({ view: "cameras", id: this.camera?.id }) }, say.watch.changePassword);
  #name = make("h2");
  #word = make("strong");
  #told = make("span", { class: "told" });
  #age = make("span", { class: "age" });
  #sound = make("button", { class: "sound", type: "button", hidden: true });
  #notice = make("p", { class: "notice", hidden: true });
  /** What is shown in place of what the browser cannot play. */
  #instead = make("p", { class: "instead", role: "status" });
  #size = make("button", { class: "larger", type: "button", onclick: () => this.#tell("camkeep-size") }, icon("larger"));
  tools = new Tools(this);
  zoom = new Zoom(
    this.#open,
    () => [this.live, this.then],
    () => this.shape,
    () => this.large,
  );

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    if (!this.childElementCount) this.#build();
    this.#open.addEventListener("click", () => this.#tell("camkeep-open"), { signal });
    this.#sound.addEventListener("click", () => this.switchSound(), { signal });
    this.live.addEventListener("live-state", () => this.update(), { signal });
    this.live.addEventListener("live-lost", () => recorder.doubt(), { signal });
    for (const shown of [this.live, this.then])
      shown.addEventListener("live-shape", () => this.#tell("camkeep-shape"), { signal });
    this.then.addEventListener("live-state", () => this.update(), { signal });
    cursor.addEventListener("change", () => this.#moved(), { signal });
    this.zoom.start(signal);
    this.update();
  }

  disconnectedCallback() {
    this.tools.close();
    this.#life?.abort();
  }

  /** Width of the picture by its height; 16:9 until that is known. */
  get shape() {
    const video = this.camera?.streams.find((stream) => stream.video)?.video;
    return this.shown.shape ?? this.live.shape ?? (video ? video.width / video.height : 16 / 9);
  }

  /** What shows the picture: live, or of another time. */
  get shown() {
    return cursor.live ? this.live : this.then;
  }

  get large() {
    return this.hasAttribute("large");
  }

  /** Alone, or one of many. @param {boolean} large */
  set large(large) {
    this.toggleAttribute("large", large);
    if (!large && !this.live.muted) this.switchSound();
    if (!large) this.zoom.reset();
    this.#choose();
    this.update();
  }

  /** What moves in the document without a break goes on. */
  connectedMoveCallback() {}

  /** Whether it is larger than others on the wall. @param {boolean} twice */
  set twice(twice) {
    this.#size.setAttribute("aria-pressed", String(twice));
    this.#size.setAttribute("aria-label", say.watch.larger(this.camera?.name ?? ""));
  }

  /** Show that camera as it is now. @param {Camera} camera */
  show(camera) {
    this.camera = camera;
    this.live.setAttribute("camera", camera.id);
    this.then.setAttribute("camera", camera.id);
    this.#choose();
    this.record.show(camera);
    this.update();
  }

  focusPicture() {
    this.#open.focus({ preventScroll: true });
  }

  /** Bring words and times up to date; once a second, and after each change. */
  update() {
    if (!this.camera) return;
    const { name } = this.camera;
    const state = this.#state();
    const live = state === "live";
    const said = saying(state, this.#reason(state));
    const old = live && this.#isOld;
    this.setAttribute("state", state);
    this.setAttribute("tone", said.tone);
    this.toggleAttribute("then", !cursor.live);
    if (live && !old) this.then.removeAttribute("shown"); // what is live covers it
    write(this.#name, name);
    this.#open.setAttribute("aria-label", this.large ? name : say.watch.alone(name));
    this.#open.setAttribute("aria-description", said.word);
    this.#note(state, old, said);
    this.#updateBar(live && !old);
  }

  /** Whether no picture came for long. */
  get #isOld() {
    const { shownAt, apart } = this.live;
    return shownAt !== null && performance.now() - shownAt > Math.max(OLD_MS, 3 * apart);
  }

  /** What is said upon the picture, where it is not as it should be. @param {string} state @param {boolean} old @param {import("./words.js").Saying} said */
  #note(state, old, said) {
    const shown = this.shown.shownAt;
    const fine = FINE.includes(state) || (state === "loading" && shown !== null);
    const dim = old || (!fine && shown !== null);
    this.toggleAttribute("old", dim);
    this.#notice.hidden = fine && !old;
    this.#next.hidden = state !== "gap";
    this.#mend.hidden = state !== "refused" || !recorder.may("admin");
    write(this.#word, old ? say.live.next : said.word);
    write(this.#told, said.told);
    const aged = dim && cursor.live && shown !== null;
    write(this.#age, aged ? say.live.picture(ago(performance.now() - shown)) : "");
  }

  /** Switch the sound on or off. */
  switchSound() {
    this.live.muted = this.then.muted = !this.live.muted;
    this.#sound.replaceChildren(icon(this.live.muted ? "mute" : "sound"), this.#soundWord());
    this.update();
  }

  /** @param {boolean} live */
  #updateBar(live) {
    this.record.update(this.large);
    this.tools.update();
    const { instead, unplayed } = this.live;
    write(this.#instead, instead && live && this.large ? say.live[instead](codecs([unplayed])) : "");
    this.toggleAttribute("recording", this.record.recording);
    const audible = this.camera?.streams.some((stream) => stream.audio) ?? false;
    this.#sound.hidden = !this.large || !audible;
    this.#sound.setAttribute("aria-pressed", String(!this.live.muted));
  }

  /** The cursor is elsewhere. What was seen stays until there is another picture. */
  #moved() {
    this.#choose();
    this.update();
  }

  /** Behind the gap. */
  #goOn() {
    return trying(async () => {
      const found = this.camera && (await footage.next([this.camera.id], cursor.at, 1));
      if (found) cursor.seek(found.at);
      else cursor.goLive();
    });
  }

  /** The connection says it first, where there is one; else the recorder's list of cameras. */
  #state() {
    const known = this.camera?.state ?? "connecting";
    if (!cursor.live) return this.then.state;
    if (recorder.away && known !== "off") return "away";
    return this.live.hasAttribute("rest") ? known : this.live.state;
  }

  /** Why there is no picture, in the recorder's words. @param {string} state */
  #reason(state) {
    if (state === "live" || state === "away") return "";
    const { told, unplayed } = this.shown;
    if (!cursor.live) return state === "unplayable" ? say.live.neither(unplayed) : told;
    if (state === "unplayable" && !told && unplayed) return say.live.neither(codecs([unplayed]));
    return told || (state === this.camera?.state ? this.camera.told : "");
  }

  /** The small stream is enough for a small picture; nothing is asked for where nothing comes. */
  #choose() {
    const rest = recorder.away || !this.camera?.watched || this.camera.state === "off";
    this.live.toggleAttribute("rest", Boolean(rest) || !cursor.live);
    this.then.toggleAttribute("rest", recorder.away !== null);
    const gone = ["waiting", "refused"].includes(this.camera?.state ?? "");
    if (gone && this.live.hasAttribute("pictures")) this.live.renew(); // nobody tells when the pictures of an <img> stop
    const small = this.camera?.streams.some((stream) => stream.name === "sub");
    this.live.toggleAttribute("small", Boolean(small));
    this.live.setAttribute("stream", small && !this.large ? "sub" : "main");
  }

  #build() {
    this.#notice.append(icon("trouble"), this.#word, this.#told, this.#age, this.#next, this.#mend);
    this.#sound.append(icon("mute"), this.#soundWord());
    const back = make(
      "button",
      { type: "button", class: "back", "aria-label": say.watch.back, onclick: () => go({ at: cursor.live ? null : cursor.at }) },
      icon("back"),
    );
    const full = make(
      "button",
      { type: "button", class: "full", "aria-label": say.watch.full, onclick: fullScreen },
      icon("full"),
    );
    const { button, sign, saved } = this.record;
    this.tools.bar.prepend(this.#sound); // what comes later pushes nothing: it comes before the others
    this.tools.bar.append(full);
    const parts = [back, this.#name, this.tools.bar, button];
    const bar = make("div", { class: "bar" }, ...parts);
    const above = make("div", { class: "above" }, this.#instead, this.zoom.sign);
    const upon = [this.#notice, sign, this.#size, above, saved, this.tools.panels];
    this.append(this.live, this.then, this.#open, ...upon, bar);
  }

  #soundWord() {
    return make("span", { class: "label" }, say.watch.sound);
  }

  /** @param {string} name */
  #tell(name) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true }));
  }
}

customElements.define("camkeep-tile", Tile);
export { Tile };
