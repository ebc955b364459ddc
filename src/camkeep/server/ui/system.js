// @ts-check
/** `<camkeep-system>`: how the recorder is, in sections: each is fetched when somebody goes there. */

import { make } from "./dom.js";
import { address, place } from "./place.js";
import { recorder } from "./recorder.js";
import { say } from "./say-more.js";
import { styled } from "./style.js";

/** @typedef {"health" | "storage" | "coverage" | "events" | "people" | "log" | "backup"} Name */

/** What it takes to see each, and where it is. @type {Record<Name, ["viewer" | "admin", () => Promise<unknown>]>} */
const SECTIONS = {
  health: ["viewer", () => import("./health.js")],
  storage: ["viewer", () => import("./storage.js")],
  coverage: ["viewer", () => import("./coverage.js")],
  events: ["viewer", () => import("./happenings.js")],
  people: ["admin", () => import("./people.js")],
  log: ["admin", () => import("./log.js")],
  backup: ["admin", () => import("./backup.js")],
};

class System extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #names = make("div", { class: "sections", role: "navigation", "aria-label": say.app.system });
  #place = make("div", { class: "section" });
  #seen = "";

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    this.replaceChildren(this.#names, this.#place);
    addEventListener("hashchange", () => this.#update(), { signal });
    recorder.addEventListener("change", () => this.#update(), { signal });
    this.#update();
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  #update() {
    const { view, id } = place();
    const names = /** @type {Name[]} */ (Object.keys(SECTIONS)).filter((name) => recorder.may(SECTIONS[name][0]));
    const name = names.find((each) => each === id) ?? "health";
    if (view !== "system" || !names.length) return;
    if (this.#names.childElementCount !== names.length) {
      this.#names.replaceChildren(...names.map((each) => make("a", { href: address({ view, id: each }) }, say.system[each])));
    }
    for (const [n, link] of [...this.#names.children].entries()) {
      if (names[n] === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (name !== this.#seen) void this.#show(name);
  }

  /** @param {Name} name */
  async #show(name) {
    this.#seen = name;
    this.#names.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    try {
      await SECTIONS[name][1]();
    } catch {
      const again = make("button", { type: "button", onclick: () => location.reload() }, say.app.reload);
      if (this.#seen === name) this.#place.replaceChildren(make("h1", {}, say.app.failed), make("p", {}, again));
      this.#seen = "";
      return;
    }
    if (this.#seen !== name) return;
    const made = document.createElement(`camkeep-${name}`);
    this.#place.replaceChildren(...(name === "people" ? [make("header", {}, make("h1", {}, say.system.people))] : []), made);
    this.closest("main")?.scrollTo(0, 0);
  }
}

await styled(new URL("./system.css", import.meta.url).pathname);
customElements.define("camkeep-system", System);
