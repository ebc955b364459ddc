// @ts-check
/**
 * `<camkeep-watch>`: the cameras, all or one alone, at the cursor; the timeline below them. Which
 * one, and when, stands in the address (`#camera=ID&at=INSTANT`), so that Back, a reload and a
 * link do what one expects.
 */

import { cursor } from "./cursor.js";
import { make } from "./dom.js";
import { keys } from "./keys.js";
import { address, fullScreen, go, place } from "./place.js";
import { recorder } from "./recorder.js";
import { say } from "./say.js";
import { player } from "./then.js";
import "./mark.js";
import "./timeline.js";
import "./transport.js";
import "./wall.js";

const SAME_US = 1000;
/** Addresses name instants to the millisecond; while it plays, another camera may be chosen. */
const PLAYED_US = 2e6;

class Watch extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #wall = /** @type {import("./wall.js").Wall} */ (document.createElement("camkeep-wall"));
  #foot = make(
    "div",
    { class: "under" },
    document.createElement("camkeep-mark"),
    document.createElement("camkeep-transport"),
    document.createElement("camkeep-timeline"),
  );
  /** The address that is shown: only another one moves the cursor. @type {string | null} */
  #hash = null;

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    this.replaceChildren(make("h1", { class: "sr" }, say.app.watch), this.#wall, this.#foot);
    recorder.addEventListener("change", () => this.#update(), { signal });
    addEventListener("hashchange", () => this.#moved(), { signal });
    cursor.addEventListener("change", () => this.#note(), { signal });
    keys(this.#keys(), signal);
    for (const name of ["pointerover", "focusin"]) {
      this.#foot.addEventListener(name, () => void player().catch(() => null), { signal, once: true }); // it is wanted soon
    }
    this.#moved();
  }

  disconnectedCallback() {
    this.#life?.abort();
    cursor.cameras = [];
  }

  /** Somebody went to another address. */
  #moved() {
    if (place().view !== "watch") return;
    const { at } = place();
    const before = place(this.#hash ?? "").at;
    this.#hash = location.hash;
    this.#update();
    if (at === null && before !== null) cursor.goLive();
    const near = cursor.playing ? PLAYED_US * Math.max(1, Math.abs(cursor.rate)) : SAME_US;
    if (at === null || (!cursor.live && Math.abs(at - cursor.at) <= near)) return;
    cursor.pause();
    cursor.seek(at);
  }

  /** The cursor rests somewhere else: the address says so, without another step for Back. */
  #note() {
    if (place().view !== "watch" || !(cursor.live || !cursor.playing) || cursor.scrubs) return;
    this.#hash = address({ camera: place().camera, at: this.#when });
    if (this.#hash !== (location.hash || "#")) history.replaceState(null, "", this.#hash);
  }

  /** Null for live. */
  get #when() {
    return cursor.live ? null : cursor.at;
  }

  #update() {
    if (place().view !== "watch") return;
    this.#wall.show(recorder.cameras ?? [], place().camera);
    cursor.cameras = this.#wall.tiles.flatMap((tile) => tile.camera?.id ?? []);
  }

  /** The tile that keys are for: the only one, or the one with the focus. */
  #chosen() {
    const { tiles } = this.#wall;
    const focused = tiles.find((tile) => tile.contains(document.activeElement));
    return focused ?? (tiles.length === 1 ? tiles[0] : null);
  }

  /** @returns {Record<string, import("./keys.js").Act>} */
  #keys() {
    /** @type {Record<string, import("./keys.js").Act>} */
    const map = {
      Escape: () =>
        this.#chosen()?.tools.close() || (place().camera ? go({ at: this.#when }) : false),
      r: () => this.#chosen()?.record.press(),
      m: () => this.#chosen()?.switchSound(),
      s: () => this.#chosen()?.tools.snap(),
      "+": () => this.#chosen()?.zoom.step(1),
      "-": () => this.#chosen()?.zoom.step(-1),
      0: () => this.#chosen()?.zoom.reset(),
      f: fullScreen,
    };
    for (let n = 1; n <= 9; n++) {
      map[String(n)] = () => {
        const camera = this.#wall.cameras[n - 1];
        if (camera) go({ camera: camera.id, at: this.#when });
      };
    }
    return map;
  }
}

customElements.define("camkeep-watch", Watch);
