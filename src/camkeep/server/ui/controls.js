// @ts-check
/**
 * `<camkeep-controls>`: what a camera can be told: to move, its places, lamps and picture; of a
 * webcam its settings. It moves as long as something is pressed, and not a moment longer: whatever
 * ends the press, `stop` is sent.
 */

import { Trouble, api } from "./api.js";
import { make } from "./dom.js";
import { say } from "./say-more.js";
import { styled } from "./style.js";
import { tell } from "./toast.js";
import { sentence } from "./words.js";

/** @typedef {import("./api.js").Setting} Setting */

const PAD = ["up-left", "up", "up-right", "left", "center", "right", "down-left", "down", "down-right"];
/** @type {Record<string, string>} */
const ARROWS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };
const TURNS = [-45, 0, 45, -90, 0, 90, -135, 180, 135];
const PLACES = 8;

class Controls extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #camera = "";
  /** What it moves to. */
  #moving = "";
  /** One thing after the other: a stop never overtakes what it stops. */
  #last = Promise.resolve();
  #keeps = false;
  #webcam = false;

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    addEventListener("blur", () => this.#halt(), { signal });
    document.addEventListener("visibilitychange", () => this.#halt(), { signal });
    this.#camera = this.getAttribute("camera") ?? "";
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", say.controls.title);
    this.replaceChildren(make("p", { class: "quiet", role: "status" }, say.controls.asking));
    void this.#ask(signal);
  }

  disconnectedCallback() {
    this.#halt();
    this.#life?.abort();
  }

  /** @param {AbortSignal} signal */
  async #ask(signal) {
    try {
      const told = await api.controls(this.#camera);
      if (signal.aborted) return;
      this.#webcam = told.kind === "webcam";
      const moves = told.actions.includes("move") ? [this.#pad(signal), this.#places(), this.#lamps()] : [];
      this.replaceChildren(...moves, ...told.settings.flatMap((each) => this.#setting(each)));
      if (!this.childElementCount) this.append(make("p", { class: "quiet" }, say.controls.none));
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      if (!signal.aborted) this.replaceChildren(make("p", { role: "status" }, sentence(error.message)));
    }
  }

  /** @param {Record<string, unknown>} action */
  #send(action) {
    this.#last = this.#last
      .then(() => api.control(this.#camera, action))
      .catch((error) => {
        if (!(error instanceof Trouble)) throw error;
        tell(sentence(error.message), { trouble: true });
      });
    return this.#last;
  }

  // moving

  /** @param {string} direction */
  #go(direction) {
    if (this.#moving === direction) return;
    this.#moving = direction;
    void this.#send({ action: "move", direction });
  }

  #halt() {
    if (!this.#moving) return;
    this.#moving = "";
    void this.#send({ action: "stop" });
  }

  /** @param {AbortSignal} signal */
  #pad(signal) {
    const pad = make("div", { class: "pad", role: "group", tabindex: 0, "aria-label": say.controls.pad });
    PAD.forEach((direction, n) => pad.append(this.#arrow(direction, TURNS[n])));
    /** @param {KeyboardEvent} event */
    const pressed = (event) => {
      const direction = ARROWS[event.key];
      if (!direction || event.target !== pad) return;
      event.preventDefault();
      this.#go(direction);
    };
    pad.addEventListener("keydown", pressed, { signal });
    pad.addEventListener("keyup", () => this.#halt(), { signal });
    pad.addEventListener("blur", () => this.#halt(), { signal });
    const zoom = [["out", "−"], ["in", "+"]].map(([direction, sign]) => {
      const label = direction === "in" ? say.controls.closer : say.controls.farther;
      return button(sign, () => this.#send({ action: "zoom", direction }), { "aria-label": label });
    });
    return make("div", { class: "moves" }, pad, make("div", { class: "closer" }, ...zoom));
  }

  /** @param {string} direction @param {number} turn */
  #arrow(direction, turn) {
    const ways = /** @type {Record<string, string>} */ (say.controls.ways);
    const label = direction.split("-").map((way) => ways[way]).join(" ");
    if (direction === "center") return button("●", () => this.#send({ action: "center" }), { "aria-label": label });
    const sign = make("i", {}, "▲");
    sign.style.rotate = `${turn}deg`;
    // a click without a pointer is a screen reader's, or a key's
    const step = (/** @type {MouseEvent} */ event) => {
      if (!event.detail) void this.#send({ action: "move", direction, steps: 1 });
    };
    const arrow = button(sign, step, { "aria-label": label, tabindex: -1 });
    arrow.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      arrow.setPointerCapture(event.pointerId);
      this.#go(direction);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      arrow.addEventListener(end, () => this.#halt());
    }
    arrow.addEventListener("contextmenu", (event) => event.preventDefault());
    return arrow;
  }

  // places, lamps

  #places() {
    const keep = button(say.controls.keep, () => mark(!this.#keeps), { "aria-pressed": "false" });
    const mark = (/** @type {boolean} */ keeps) => {
      this.#keeps = keeps;
      keep.setAttribute("aria-pressed", String(keeps));
    };
    const places = Array.from({ length: PLACES }, (_, n) => {
      const number = n + 1;
      const go = async () => {
        const action = this.#keeps ? "set_preset" : "go_to_preset";
        const kept = this.#keeps;
        mark(false);
        await this.#send({ action, number });
        if (kept) tell(say.controls.kept(number));
      };
      return button(String(number), go, { "aria-label": say.controls.place(number) });
    });
    return row(say.controls.places, make("div", { class: "places" }, ...places), keep);
  }

  #lamps() {
    const onOff = [true, false].map((on) => {
      const word = on ? say.controls.on : say.controls.off;
      const label = `${say.controls.infrared}: ${word}`;
      return button(word, () => this.#send({ action: "infrared", on }), { "aria-label": label });
    });
    return row(say.controls.infrared, make("div", { class: "onoff" }, ...onOff));
  }

  // settings

  /** @param {Setting} setting @returns {Node[]} */
  #setting(setting) {
    const { name, kind, range, menu, value, writable, active } = setting;
    const disabled = !writable || !active;
    const words = /** @type {Record<string, string>} */ (say.controls.settings);
    const label = words[name] ?? setting.label;
    /** @param {string | number} to */
    const set = (to) =>
      this.#send(this.#webcam ? { action: "set", name, value: to } : { action: name, value: to });
    if (kind === "integer") {
      const [min, max, step] = range;
      const slider = make("input", { type: "range", min, max, step, value, disabled });
      slider.addEventListener("change", () => void set(slider.valueAsNumber));
      return [make("label", { class: "control" }, make("span", {}, label), slider)];
    }
    if (kind === "boolean") {
      const box = make("input", { type: "checkbox", checked: Boolean(value), disabled });
      box.addEventListener("change", () => void set(box.checked ? "on" : "off"));
      return [make("label", { class: "control" }, make("span", {}, label), box)];
    }
    if (kind !== "menu") return [];
    const items = menu.map(([item, text]) => make("option", { value: item, selected: item === value }, text));
    const list = make("select", { disabled }, ...items);
    list.addEventListener("change", () => void set(Number(list.value)));
    return [make("label", { class: "control" }, make("span", {}, label), list)];
  }
}

/** @param {Node | string} what @param {(event: MouseEvent) => unknown} act @param {Record<string, unknown>} more */
function button(what, act, more = {}) {
  return make("button", { type: "button", onclick: act, ...more }, what);
}

/** @param {string} name @param {...Node} what */
function row(name, ...what) {
  return make("div", { class: "control" }, make("span", {}, name), ...what);
}

await styled(new URL("./controls.css", import.meta.url).pathname);
customElements.define("camkeep-controls", Controls);
