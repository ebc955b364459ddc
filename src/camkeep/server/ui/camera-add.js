// @ts-check
/**
 * `<camkeep-camera-add>`: another camera: one that this machine finds, one at an address, or a
 * simulated one. With `first` it is what somebody sees first, and what is found is added at once.
 */

import { Trouble } from "./api.js";
import { login, fields, wrong } from "./camera-form.js";
import { Trial } from "./camera-trial.js";
import { icon, make } from "./dom.js";
import { attempt, complaint, field } from "./forms.js";
import { brand } from "./login.js";
import { address, go } from "./place.js";
import { recorder } from "./recorder.js";
import { say } from "./say-more.js";
import { setup } from "./setup.js";
import { nameOf, sentence } from "./words.js";

/** @typedef {import("./setup.js").Offer} Offer */

class CameraAdd extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #told = complaint();
  #offers = make("ul", { class: "offers" });
  #said = make("p", { role: "status" });
  #looking = make("li", { class: "note" }, this.#said);
  #form = this.#makeForm();
  #trial = new Trial(this.#form, (print) => this.#trust(print));
  #trusted = "";
  #last = this.#makeLast();

  connectedCallback() {
    this.#life = new AbortController();
    const first = this.hasAttribute("first");
    const head = first
      ? [brand(), make("h1", {}, say.cameras.first), make("p", { class: "quiet" }, say.cameras.firstTold)]
      : [make("a", { class: "up", href: address({ view: "cameras" }) }, icon("back"), say.app.cameras), make("h1", {}, say.cameras.add)];
    const [told, hint] = [say.cameras.search, say.cameras.searchTold];
    const search = offer("search", told, hint, () => void this.#offer(true));
    const demo = offer("card", say.cameras.simulated, say.cameras.simulatedTold, () => void this.#save(() => setup.demo()));
    this.#offers.append(this.#looking, make("li", {}, search), make("li", {}, demo));
    this.replaceChildren(
      make("section", { class: "sheet" }, ...head, this.#offers, make("h2", {}, say.cameras.atAddress), this.#form, this.#trial.element, this.#last, this.#told),
    );
    this.#reset();
    void this.#offer(false);
  }

  disconnectedCallback() {
    this.#life?.abort();
    this.#trial.forget();
  }

  get #signal() {
    return /** @type {AbortController} */ (this.#life).signal;
  }

  /** @param {boolean} network */
  async #offer(network) {
    this.#note(network ? say.cameras.searching : say.cameras.looking);
    const signal = this.#signal;
    try {
      const found = await setup.offered(network, signal);
      for (const each of this.#offers.querySelectorAll(".found")) each.remove();
      const all = [...found.webcams, ...(found.network ?? [])];
      this.#looking.after(...all.map((each) => make("li", { class: "found" }, this.#button(each))));
      if (network && !found.network?.length) this.#note(say.cameras.noneAnswered);
      else if (all.length) this.#looking.hidden = true;
      else this.#note(sentence(found.no_webcams ?? say.cameras.noWebcam));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Trouble)) throw error;
      this.#note(sentence(error.message));
    }
  }

  /** Say it where the cameras that are found will be. @param {string} told */
  #note(told) {
    this.#looking.hidden = false;
    this.#said.textContent = told;
  }

  /** @param {Offer} found */
  #button(found) {
    const webcam = /^(\d+|\/dev\/.*)$/.test(found.address);
    return offer("camera", found.name, found.address, () => {
      if (webcam && this.hasAttribute("first")) {
        void this.#save(() => setup.add({ name: found.name, address: found.address }));
        return;
      }
      this.#input("address").value = found.address;
      this.#input("name", this.#last).value = found.name;
      if (webcam) void this.#test();
      else this.#input("user").focus(); // it needs a login, most likely
    });
  }

  /** @param {string} name @param {HTMLFormElement} [form] */
  #input(name, form = this.#form) {
    return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  }

  #makeForm() {
    const parts = login("");
    const test = make("button", { type: "submit" }, say.cameras.test);
    const form = make("form", { class: "camera", autocomplete: "off" }, parts.address, parts.login, make("div", { class: "buttons" }, test));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#test();
    });
    form.addEventListener("input", () => this.#reset());
    return form;
  }

  /** What comes when the camera was looked at: its name, and to add it. */
  #makeLast() {
    const name = field(say.cameras.name, { name: "name", maxlength: 100, required: true, autocomplete: "off", placeholder: say.cameras.nameSuch });
    const add = make("button", { type: "submit", class: "primary" }, say.cameras.addIt);
    const form = make("form", { autocomplete: "off" }, name, make("div", { class: "buttons" }, add));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save(() => setup.add({ ...this.#values(), ...fields(form) }));
    });
    return form;
  }

  /** Another address: what was seen is of another camera. */
  #reset() {
    this.#last.hidden = true;
    this.#trial.forget();
    this.#told.textContent = "";
  }

  #values() {
    const typed = Object.entries(fields(this.#form)).map(([name, value]) => [name, name === "password" ? value : value.trim()]);
    const values = Object.fromEntries(typed.filter(([, value]) => value));
    return this.#trusted ? { ...values, trust: this.#trusted } : values;
  }

  /** @param {string} fingerprint */
  #trust(fingerprint) {
    this.#trusted = fingerprint;
    void this.#test();
  }

  async #test() {
    this.#reset();
    const values = this.#values();
    /** @type {import("./setup.js").Tested | null} */
    let tested = null;
    await attempt(this.#form, this.#told, async () => {
      tested = await this.#trial.run(values, this.#signal);
    });
    this.#offerToAdd(tested, values.address);
  }

  /** @param {import("./setup.js").Tested | null} tested @param {string} address */
  #offerToAdd(tested, address) {
    if (!tested) return;
    this.#last.hidden = false;
    const name = this.#input("name", this.#last);
    name.value ||= nameOf(address);
    const add = this.#last.querySelector("button");
    if (add) add.textContent = tested.ok ? say.cameras.addIt : say.cameras.addAnyway;
    add?.classList.toggle("primary", tested.ok);
    if (!tested.ok) return;
    name.focus();
    name.select();
  }

  /** @param {() => Promise<import("./setup.js").SetUp>} work */
  async #save(work) {
    const well = await attempt(this, this.#told, async () => {
      await work();
      await recorder.refresh();
      go({});
    });
    if (well) return;
    const told = this.#told.textContent ?? "";
    const plain = told.replace(/\.$/, "").replace(/^./, (letter) => letter.toLowerCase());
    if (wrong(this.#last, plain) || wrong(this.#form, plain)) this.#told.textContent = "";
    else this.#told.scrollIntoView({ block: "nearest" });
  }
}

/** @param {string} drawing @param {string} name @param {string} hint @param {() => void} pressed */
function offer(drawing, name, hint, pressed) {
  const words = make("span", {}, make("b", {}, name), make("span", { class: "hint" }, hint));
  return make("button", { type: "button", class: "offer", onclick: pressed }, icon(drawing), words);
}

customElements.define("camkeep-camera-add", CameraAdd);
