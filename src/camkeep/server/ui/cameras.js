// @ts-check
/** `<camkeep-cameras>`: which cameras there are: their list, one of them, another one, the first. */

import { place } from "./place.js";
import { recorder } from "./recorder.js";
import "./camera-add.js";
import "./camera-edit.js";
import "./camera-list.js";

class Cameras extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #seen = "";

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    addEventListener("hashchange", () => this.#update(), { signal });
    recorder.addEventListener("change", () => this.#update(), { signal });
    this.#update();
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  #update() {
    if (!recorder.cameras || !this.isConnected) return;
    const { view, id } = place();
    if (view !== "cameras" && recorder.cameras.length) return;
    const seen = recorder.cameras.length ? id : "first";
    if (seen === this.#seen && this.childElementCount) return;
    this.#seen = seen;
    const part = seen === "first" || seen === "new" ? "add" : seen ? "edit" : "list";
    const element = document.createElement(`camkeep-camera-${part}`);
    if (seen === "first") element.setAttribute("first", "");
    if (part === "edit") element.setAttribute("camera", seen);
    this.replaceChildren(element);
    this.closest("main")?.scrollTo(0, 0);
  }
}

customElements.define("camkeep-cameras", Cameras);
