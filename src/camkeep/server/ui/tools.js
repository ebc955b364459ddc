// @ts-check
/**
 * What can be done with the picture of one camera alone: save it, show it in a window of its own,
 * steer the camera, and see how it comes. Buttons for the bar, and a panel that they open.
 */

import { Trouble } from "./api.js";
import { icon, make } from "./dom.js";
import { recorder } from "./recorder.js";
import { float, floats, save } from "./save.js";
import { say } from "./say.js";
import { tell } from "./toast.js";
import { sentence } from "./words.js";

/** @typedef {import("./tile.js").Tile} Tile */

export class Tools {
  bar = make("div", { class: "tools" });
  panels = make("div", { class: "panels" });

  /** Made when it is opened first. @type {import("./details.js").Details | null} */
  #details = null;
  #tile;
  #snap = this.#button("snap", say.watch.snap, () => this.snap());
  #float = this.#button("float", say.watch.float, () => this.#floated());
  #steer = this.#button("move", say.watch.controls, () => void this.#steered());
  #more = this.#button("info", say.watch.details, () => void this.#detailed());

  /** @param {Tile} tile */
  constructor(tile) {
    this.#tile = tile;
    for (const each of [this.#steer, this.#more]) each.setAttribute("aria-expanded", "false");
    this.bar.append(this.#steer, this.#snap, this.#float, this.#more);
  }

  /** Bring them up to date; once a second, and after each change. */
  update() {
    const { camera, large, live, shown } = this.#tile;
    this.#float.hidden = !floats();
    this.#snap.disabled = shown.shownAt === null;
    const steers = camera?.controls && recorder.may("operator") && shown === live;
    this.#steer.hidden = !steers;
    if (!large || (!steers && is(this.#steer))) this.close();
    if (is(this.#more)) this.#details?.update(live);
  }

  /** Save the picture that is seen. */
  async snap() {
    const { camera, live, shown } = this.#tile;
    if (!camera || this.#snap.disabled) return;
    try {
      tell(say.watch.snapped(await save(camera, shown, shown === live)));
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      tell(sentence(error.message), { trouble: true });
    }
  }

  /** Whether a panel was open, and is no more. */
  close() {
    const open = [this.#steer, this.#more].find(is);
    if (open && this.panels.contains(document.activeElement)) open.focus({ preventScroll: true });
    if (open) this.#open(open);
    return open !== undefined;
  }

  async #floated() {
    try {
      await float(this.#tile.shown);
    } catch {
      tell(say.watch.floatFailed, { trouble: true });
    }
  }

  async #steered() {
    this.#open(this.#steer);
    await import("./controls.js").catch(() => tell(say.app.failed, { trouble: true }));
  }

  async #detailed() {
    this.#open(this.#more);
    if (this.#details) return;
    try {
      const { Details } = await import("./details.js");
      this.#details ??= new Details();
    } catch {
      tell(say.app.failed, { trouble: true });
      return this.#open(this.#more);
    }
    this.panels.append(this.#details.element);
    this.#details.element.hidden = !is(this.#more);
  }

  /** Open what a button is for, or close it. @param {HTMLElement} button */
  #open(button) {
    const opens = !is(button);
    for (const each of [this.#steer, this.#more]) {
      each.setAttribute("aria-expanded", String(each === button && opens));
    }
    if (this.#details) this.#details.element.hidden = !is(this.#more);
    this.panels.querySelector("camkeep-controls")?.remove();
    if (!is(this.#steer)) return;
    const controls = document.createElement("camkeep-controls");
    controls.setAttribute("camera", this.#tile.camera?.id ?? "");
    controls.className = "panel";
    this.panels.append(controls);
  }

  /** @param {string} drawing @param {string} word @param {() => unknown} act */
  #button(drawing, word, act) {
    return make(
      "button",
      { type: "button", "aria-label": word, title: word, onclick: act },
      icon(drawing),
    );
  }
}

/** Whether what it is for is open. @param {HTMLElement} button */
function is(button) {
  return button.getAttribute("aria-expanded") === "true";
}
