// @ts-check
/**
 * `<camkeep-transport>`: what moves the cursor by buttons and keys, and what time is on the screen.
 */

import { now } from "./api.js";
import { cursor } from "./cursor.js";
import { icon, make, write } from "./dom.js";
import { keys } from "./keys.js";
import { RATES, faster } from "./playclock.js";
import { trying } from "./rows.js";
import { say } from "./say.js";
import { tell } from "./toast.js";
import { moment } from "./words.js";

const TEN_US = 10e6;
const WAIT_MS = 250;

class Transport extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #play = this.#button("play", say.transport.play, () => this.#toggle());
  #rate = make("select", { "aria-label": say.transport.speed, class: "time" });
  #time = make("p", { class: "now time" });
  #live = make("button", { type: "button", class: "golive" });
  #said = make("p", { class: "said", role: "status" });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    if (!this.childElementCount) this.#build();
    keys(this.#keys(), signal);
    cursor.addEventListener("change", () => this.#update(), { signal });
    cursor.addEventListener("jumped", (event) => this.#jumped(event), { signal });
    const tick = setInterval(() => this.#tick(), WAIT_MS);
    signal.addEventListener("abort", () => {
      clearInterval(tick);
      clearTimeout(this.#timer);
    });
    this.#update();
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  #build() {
    const words = say.transport;
    const ways = [1, -1].map((way) =>
      make(
        "optgroup",
        { label: way > 0 ? words.forward : words.backward },
        ...RATES.map((rate) => make("option", { value: rate * way }, words.rate(rate * way))),
      ),
    );
    this.#rate.append(...ways);
    this.#rate.addEventListener("change", () => cursor.play(Number(this.#rate.value)));
    this.#live.append(make("i", { class: "dot" }), make("span"));
    this.#live.addEventListener("click", () => cursor.goLive());
    const event = (/** @type {1 | -1} */ way) => () => this.#event(way);
    this.append(
      this.#button("before", words.eventBefore, event(-1), "wide"),
      this.#button("step-back", words.stepBack, () => this.#step(-1), "wide"),
      this.#play,
      this.#button("step", words.step, () => this.#step(1), "wide"),
      this.#button("after", words.eventAfter, event(1), "wide"),
      this.#rate,
      this.#said,
      this.#time,
      this.#live,
    );
  }

  /** @param {string} name @param {string} word @param {() => unknown} work @param {string} [kind] */
  #button(name, word, work, kind = "") {
    const wish = { type: "button", class: kind, "aria-label": word, title: word };
    return make("button", { ...wish, onclick: work }, icon(name));
  }

  /** @returns {Record<string, import("./keys.js").Act>} */
  #keys() {
    const by = (/** @type {number} */ us) => () => cursor.seek(cursor.at + us);
    const way = (/** @type {number} */ direction) => () => {
      if (cursor.live && direction > 0) return;
      cursor.play(faster(cursor.rate, cursor.playing && !cursor.live, direction));
    };
    return {
      " ": () => this.#toggle(),
      j: way(-1),
      k: () => cursor.pause(),
      l: way(1),
      ArrowLeft: by(-TEN_US),
      ArrowRight: by(TEN_US),
      "Shift+ArrowLeft": () => this.#step(-1),
      "Shift+ArrowRight": () => this.#step(1),
      p: () => this.#event(-1),
      n: () => this.#event(1),
      End: () => cursor.goLive(),
    };
  }

  #toggle() {
    if (cursor.playing) cursor.pause();
    else cursor.play(cursor.rate);
  }

  /** @param {1 | -1} direction */
  #step(direction) {
    void trying(() => cursor.step(direction));
  }

  /** @param {1 | -1} direction */
  #event(direction) {
    void trying(async () => {
      const found = await cursor.nextEvent(direction);
      if (!found && direction < 0) tell(say.transport.noEvent);
    });
  }

  #update() {
    const { live, playing, rate } = cursor;
    const word = playing ? say.transport.pause : say.transport.play;
    if (this.#play.getAttribute("aria-label") !== word) {
      this.#play.setAttribute("aria-label", word);
      this.#play.title = word;
      this.#play.replaceChildren(icon(playing ? "pause" : "play"));
    }
    this.#rate.value = String(live ? 1 : rate);
    this.toggleAttribute("live", live);
    this.#live.setAttribute("aria-pressed", String(live));
    write(this.#live.children[1], live ? say.live.live[0] : say.transport.toLive);
    this.#tick();
  }

  #tick() {
    write(this.#time, moment(cursor.at, now()));
  }

  /** A gap was left out. @param {Event} event */
  #jumped(event) {
    if (!(event instanceof CustomEvent)) return;
    write(this.#said, event.detail.told);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => write(this.#said, ""), 24 * WAIT_MS);
  }
}

customElements.define("camkeep-transport", Transport);
