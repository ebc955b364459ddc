// @ts-check
/**
 * `<camkeep-preview>`: the picture of a recording that runs in a terminal, how long and large it
 * is, and Stop. `server/preview.py` serves it; the token of its address is the camera's id.
 */

import { make, write } from "./dom.js";
import { say } from "./say.js";
import { codecs, running, saying, sentence, sized } from "./words.js";
import "./live.js";

/** @typedef {{name: string, file: string, seconds: number, bytes: number, ended: boolean, error: string}} Told */

const TICK_MS = 500;
const OLD_MS = 3000;

class Preview extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  /** @type {Told | null} */
  #told = null;
  #live = /** @type {import("./live.js").Live} */ (document.createElement("camkeep-live"));
  #name = make("h1");
  #time = make("span", { class: "time" });
  #size = make("span", { class: "time" });
  #stop = make(
    "button",
    { class: "record", type: "button", "aria-pressed": "true" },
    make("i", { class: "sign" }),
    say.watch.stop,
  );
  #note = make("p", { class: "instead", role: "status" });
  #word = make("h1");
  #more = make("p");

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    const token = location.pathname.split("/")[1];
    this.#live.setAttribute("camera", token);
    const state = make(
      "div",
      { class: "state" },
      make("i", { class: "dot" }),
      make("span", { class: "sr" }, say.watch.recording),
      this.#time,
      this.#size,
    );
    const words = make("div", { class: "saying", role: "status" }, this.#word, this.#more);
    const bar = make("div", { class: "bar" }, this.#name, state, this.#stop);
    const above = make("div", { class: "above" }, this.#note);
    this.replaceChildren(this.#live, words, above, bar);
    const address = new URL(`/api/v1/preview/${token}`, location.href);
    address.protocol = "ws:";
    const socket = new WebSocket(address);
    const stop = JSON.stringify({ type: "stop" });
    this.#stop.addEventListener("click", () => socket.send(stop), { signal });
    socket.addEventListener("message", (event) => this.#take(JSON.parse(event.data)), { signal });
    socket.addEventListener("close", () => this.#gone(), { signal });
    signal.addEventListener("abort", () => socket.close());
    this.#live.addEventListener("live-state", () => this.#update(), { signal });
    const tick = setInterval(() => this.#update(), TICK_MS);
    signal.addEventListener("abort", () => clearInterval(tick));
    this.#update();
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  /** @param {Told} told */
  #take(told) {
    this.#told = told;
    if (told.ended) this.#end(told.file ? say.watch.savedAs(told.file) : say.watch.nothingSaved, told.error);
    this.#update();
  }

  /** The recording's process is not there any more, and did not say how it ended. */
  #gone() {
    if (!this.#told?.ended) this.#end(say.watch.gone, this.#told?.file ?? "");
  }

  /** @param {string} word @param {string} more */
  #end(word, more) {
    this.#life?.abort();
    this.#live.setAttribute("rest", "");
    this.toggleAttribute("ended", true);
    write(this.#word, word);
    write(this.#more, more === this.#told?.file ? more : sentence(more));
    this.#stop.disabled = true;
  }

  #update() {
    const { name, seconds, bytes } = this.#told ?? { name: "", seconds: 0, bytes: 0 };
    write(this.#name, name);
    write(this.#time, running(seconds * 1000));
    write(this.#size, sized(bytes));
    if (name) document.title = `${running(seconds * 1000)} ${name}`;
    if (this.hasAttribute("ended")) return;
    const { state, shownAt, instead, unplayed } = this.#live;
    const live = state === "live";
    const said = saying(state, this.#live.told);
    this.toggleAttribute("old", !live || (shownAt !== null && performance.now() - shownAt > OLD_MS));
    write(this.#note, live && instead ? say.live[instead](codecs([unplayed])) : "");
    write(this.#word, live ? "" : said.word);
    write(this.#more, live ? "" : said.told);
  }
}

customElements.define("camkeep-preview", Preview);
