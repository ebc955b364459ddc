// @ts-check
/** `<camkeep-camera-list>`: which cameras there are, how they are, and their order. */

import { api } from "./api.js";
import { ask } from "./dialog.js";
import { icon, make, write } from "./dom.js";
import { address } from "./place.js";
import { recorder } from "./recorder.js";
import { trying } from "./rows.js";
import { say } from "./say-more.js";
import { cameras, setup } from "./setup.js";
import { tell } from "./toast.js";
import { saying, sends } from "./words.js";

/** @typedef {import("./setup.js").SetUp} SetUp */
/** @typedef {import("./setup.js").Mode} Mode */

/** How cameras that were switched off were before. @type {Map<string, Mode>} */
const before = new Map();

class CameraList extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #list = make("ul", { class: "cams" });
  #said = make("p", { class: "sr", role: "status" });
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** Whether an order is being made, which is not to be disturbed. */
  #moving = 0;
  #last = Promise.resolve();

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    recorder.addEventListener("change", () => this.#update(), { signal });
    const add = make("a", { class: "button primary", href: address({ view: "cameras", id: "new" }) }, icon("add"), say.cameras.add);
    const head = make("div", { class: "head" }, make("h1", {}, say.app.cameras), add);
    this.replaceChildren(make("section", { class: "sheet wide" }, head, this.#list, this.#said));
    this.#update();
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  #update() {
    if (this.#moving || !recorder.cameras) return;
    const all = cameras();
    for (const [id, row] of this.#rows) {
      if (all.some((each) => each.id === id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    all.forEach((camera, index) => {
      const row = this.#rows.get(camera.id) ?? new Row(camera, this);
      this.#rows.set(camera.id, row);
      row.show(camera);
      const there = this.#list.children[index];
      if (there !== row.element) this.#list.insertBefore(row.element, there ?? null);
    });
  }

  /** Let a row be where another one is now; the row itself stays where it is in the document, for the sake of focus and pointer. @param {HTMLElement} row @param {1 | -1} way */
  shift(row, way) {
    const other = way > 0 ? row.nextElementSibling : row.previousElementSibling;
    if (!other || other.hasAttribute("data-given")) return false;
    if (way > 0) row.before(other);
    else row.after(other);
    const place = [...this.#list.children].indexOf(row) + 1;
    write(this.#said, say.watch.moved(row.dataset.name ?? "", place, this.#list.childElementCount));
    return true;
  }

  /** @param {HTMLElement} row @param {PointerEvent} event */
  drag(row, event) {
    const handle = /** @type {HTMLElement} */ (event.currentTarget);
    handle.setPointerCapture(event.pointerId);
    row.setAttribute("data-moving", "");
    this.#moving++;
    const before = this.#ids().join();
    const move = (/** @type {PointerEvent} */ now) => {
      const { top, bottom } = row.getBoundingClientRect();
      const next = row.nextElementSibling?.getBoundingClientRect();
      const last = row.previousElementSibling?.getBoundingClientRect();
      if (next && now.clientY > bottom + next.height / 2) this.shift(row, 1);
      else if (last && now.clientY < top - last.height / 2) this.shift(row, -1);
    };
    const over = new AbortController();
    const end = () => {
      over.abort();
      row.removeAttribute("data-moving");
      this.#moving--;
      if (this.#ids().join() !== before) this.keep();
    };
    handle.addEventListener("pointermove", move, { signal: over.signal });
    for (const name of ["pointerup", "pointercancel"]) handle.addEventListener(name, end, { signal: over.signal });
  }

  #ids() {
    return /** @type {HTMLElement[]} */ ([...this.#list.children]).filter((row) => !row.hasAttribute("data-given")).map((row) => row.dataset.id ?? "");
  }

  /** Tell the recorder of the order, one after the other. */
  keep() {
    const ids = this.#ids();
    this.#moving++;
    this.#last = this.#last.then(() =>
      trying(async () => {
        await setup.order(ids);
      }).then(async () => {
        this.#moving--;
        if (!this.#moving) await recorder.refresh();
      }),
    );
  }
}

/** One camera. */
class Row {
  #picture = make("img", { alt: "", width: 96, height: 54 });
  #name = make("b");
  #state = make("span", { class: "state" });
  #hint = make("span", { class: "hint" });
  #switch = make("input", { type: "checkbox", role: "switch" });
  #asked = "";

  /** @param {SetUp} camera @param {CameraList} list */
  constructor(camera, list) {
    this.camera = camera;
    const { id, name, settings } = camera;
    const edit = address({ view: "cameras", id });
    const words = make("span", { class: "what" }, this.#name, this.#state, this.#hint);
    const link = settings ? make("a", { class: "main", href: edit }, make("span", { class: "thumb" }, this.#picture), words) : make("span", { class: "main" }, make("span", { class: "thumb" }, this.#picture), words);
    this.element = make("li", { "data-id": id, "data-given": !settings });
    this.grip = make("button", { type: "button", class: "plain grip", "aria-label": say.cameras.move(name) }, icon("grip"));
    this.remove = make("button", { type: "button", class: "plain", "aria-label": say.cameras.removeIt(name), onclick: () => void removing(this.camera) }, icon("bin"));
    this.#switch.addEventListener("change", () => void this.#turn(this.#switch.checked));
    this.#picture.hidden = true;
    this.#picture.addEventListener("load", () => (this.#picture.hidden = false));
    const turn = make("label", { class: "switch" }, this.#switch, make("span", { class: "sr" }, say.cameras.on));
    this.element.append(...(settings ? [this.grip, link, turn, this.remove] : [link]));
    this.grip.addEventListener("pointerdown", (event) => list.drag(this.element, event));
    this.grip.addEventListener("keydown", (event) => {
      const way = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
      if (!way) return;
      event.preventDefault();
      if (list.shift(this.element, way)) list.keep();
    });
  }

  /** @param {SetUp} camera */
  show(camera) {
    this.camera = camera;
    const { id, name, state, mode, settings } = camera;
    const { word, told, tone } = saying(state, camera.told);
    this.element.dataset.name = name;
    write(this.#name, name);
    this.#state.dataset.tone = tone;
    write(this.#state, tone === "trouble" && told ? `${word}: ${told}` : word);
    const { video = null, audio = null } = camera.streams.find((each) => each.video) ?? {};
    const sent = state !== "off" && sends({ video, audio, measured_fps: null, advice: [] });
    const given = !settings && say.cameras.given;
    write(this.#hint, [mode !== "off" && say.cameras.modes[mode]?.[0], sent, given].filter(Boolean).join(" · "));
    this.grip.setAttribute("aria-label", say.cameras.move(name));
    this.remove.setAttribute("aria-label", say.cameras.removeIt(name));
    this.#switch.setAttribute("aria-label", say.cameras.onOff(name));
    this.#switch.checked = mode !== "off";
    const live = state === "live" && video ? id : "";
    if (live && live !== this.#asked) this.#picture.src = `${api.snapshot(id)}?now=${Date.now()}`;
    if (!live) this.#picture.hidden = true;
    this.#asked = live;
  }

  /** @param {boolean} on */
  async #turn(on) {
    const { id, name, mode, settings } = this.camera;
    const usual = settings?.schedule.length ? "schedule" : "always";
    const wanted = on ? (before.get(id) ?? usual) : "off";
    if (!on) before.set(id, mode);
    const set = (/** @type {Mode} */ to) => trying(() => setup.change(id, { mode: to })).then(() => recorder.refresh());
    this.#switch.disabled = true;
    await set(wanted);
    this.#switch.disabled = false;
    this.#switch.focus();
    tell(on ? say.cameras.switchedOn(name) : say.cameras.switchedOff(name), { undo: () => set(mode) });
  }
}

/** Ask, and remove it. Whether it is gone. @param {SetUp} camera */
export async function removing({ id, name }) {
  const told = [make("p", {}, say.cameras.removeTold)];
  if (!(await ask(say.cameras.removeIt(name), told, { ok: say.cameras.remove, danger: true }))) return false;
  let gone = false;
  await trying(async () => {
    await setup.remove(id);
    gone = true;
    await recorder.refresh();
    tell(say.cameras.removed(name));
  });
  return gone;
}

customElements.define("camkeep-camera-list", CameraList);
