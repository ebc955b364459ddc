// @ts-check
/** `<camkeep-camera-edit camera=ID>`: what is set of a camera. Only what was changed is sent. */

import { Trouble } from "./api.js";
import { fields, login, wrong } from "./camera-form.js";
import { Trial } from "./camera-trial.js";
import { back, changes, connection, filled } from "./camera-values.js";
import { removing } from "./camera-list.js";
import { icon, make } from "./dom.js";
import { attempt, choice, complaint, field, pick } from "./forms.js";
import { address, go } from "./place.js";
import { recorder } from "./recorder.js";
import { say } from "./say-more.js";
import { cameras, setup } from "./setup.js";
import { tell } from "./toast.js";
import { saying, sentence } from "./words.js";
import "./week-edit.js";

/** @typedef {import("./setup.js").SetUp} SetUp */
/** @typedef {import("./setup.js").Settings} Settings */

const MODES = /** @type {const} */ (["always", "schedule", "asked", "off"]);

class CameraEdit extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #told = complaint();
  #state = make("p", { class: "complaint", hidden: true });
  #week = /** @type {import("./week-edit.js").Week} */ (document.createElement("camkeep-week"));
  #audio = make("input", { type: "checkbox" });
  #save = make("button", { type: "submit", class: "primary" }, say.cameras.save);
  /** @type {HTMLFormElement | null} */
  #form = null;
  /** @type {Trial | null} */
  #trial = null;
  /** @type {Settings | null} */
  #settings = null;

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    recorder.addEventListener("change", () => this.#update(), { signal });
    this.#update();
  }

  disconnectedCallback() {
    this.#life?.abort();
    this.#trial?.forget();
  }

  /** @returns {SetUp | undefined} */
  get #camera() {
    return cameras().find((each) => each.id === this.getAttribute("camera"));
  }

  #update() {
    const camera = this.#camera;
    if (!camera?.settings) {
      if (recorder.cameras && !this.#form) this.#nothing(camera);
      return;
    }
    if (!this.#form) this.#build(camera, camera.settings);
    const { word, told, tone } = saying(camera.state, camera.told);
    this.#state.hidden = tone !== "trouble";
    this.#state.replaceChildren(icon("trouble"), make("span", {}, make("b", {}, `${word}. `), told));
  }

  /** @param {SetUp | undefined} camera */
  #nothing(camera) {
    const told = camera ? say.cameras.given : say.cameras.noSuch;
    this.replaceChildren(make("section", { class: "sheet" }, up(), make("h1", {}, camera?.name ?? say.cameras.unknown), make("p", { class: "quiet" }, told)));
  }

  /** @param {SetUp} camera @param {Settings} settings */
  #build(camera, settings) {
    this.#settings = settings;
    const form = make("form", { class: "camera", autocomplete: "off" });
    this.#form = form;
    this.#trial = new Trial(form, (print) => this.#trust(print));
    this.#audio.checked = settings.audio;
    this.#week.value = settings.schedule;
    const values = filled(settings);
    form.append(...this.#connection(settings, values), ...this.#recording(settings, values), this.#advanced(settings, values), this.#told, this.#foot(camera));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#store();
    });
    for (const name of ["input", "change"]) form.addEventListener(name, () => this.#look());
    this.replaceChildren(make("section", { class: "sheet edit" }, up(), make("h1", {}, settings.name), this.#state, form));
    this.#look();
    const focus = camera.state === "refused" ? form.elements.namedItem("password") : null;
    if (focus instanceof HTMLElement) requestAnimationFrame(() => focus.focus());
  }

  /** @param {Settings} settings @param {Record<string, string>} values */
  #connection(settings, values) {
    const name = field(say.cameras.name, { name: "name", value: values.name, required: true, maxlength: 100, autocomplete: "off" });
    const main = login("", { address: values.address, user: values.user, known: settings.password_set });
    const test = make("button", { type: "button", onclick: () => void this.#test() }, say.cameras.test);
    const trial = /** @type {Trial} */ (this.#trial);
    return [name, main.address, main.login, make("div", { class: "buttons" }, test), trial.element];
  }

  /** @param {Settings} settings @param {Record<string, string>} values */
  #recording(settings, values) {
    const picks = MODES.map((mode) => pick("radio", "mode", mode, say.cameras.modes[mode], settings.mode === mode));
    const zone = field(say.cameras.zone, { name: "zone", value: this.#zone(), autocomplete: "off", spellcheck: "false" });
    const weekly = make("div", { class: "weekly" }, this.#week, zone);
    const modes = make("fieldset", {}, make("legend", {}, say.cameras.when), picks[0], picks[1], weekly, picks[2], picks[3]);
    const number = { type: "number", min: 0, step: "any", inputmode: "decimal" };
    return [
      make("h2", {}, say.cameras.recording),
      modes,
      make("label", { class: "pick" }, this.#audio, make("span", {}, say.cameras.audio)),
      field(say.cameras.preRoll, { ...number, name: "pre_roll_s", value: values.pre_roll_s, max: 300, required: true }, say.cameras.preRollTold),
      make("h2", {}, say.cameras.keeping),
      make("div", { class: "pair" },
        field(say.cameras.days, { ...number, name: "days", value: values.days, placeholder: say.cameras.noLimit }),
        field(say.cameras.gigabytes, { ...number, name: "gigabytes", value: values.gigabytes, placeholder: say.cameras.noLimit })),
      make("p", { class: "hint" }, say.cameras.keepingTold),
    ];
  }

  /** That of the browser, until a schedule was made. */
  #zone() {
    const { schedule, zone } = /** @type {Settings} */ (this.#settings);
    return schedule.length ? zone : Intl.DateTimeFormat().resolvedOptions().timeZone || zone;
  }

  /** @param {Settings} settings @param {Record<string, string>} values */
  #advanced(settings, values) {
    const sub = login("sub_", { address: values.sub_address, user: values.sub_user, known: settings.sub_password_set });
    const how = choice(say.cameras.transport, "transport", [["tcp", say.cameras.tcp], ["udp", say.cameras.udp]]);
    const select = how.querySelector("select");
    if (select) select.value = values.transport;
    const seconds = (/** @type {"segment_s" | "flush_s" | "timeout_s"} */ name) =>
      field(say.cameras[name][0], { name, type: "number", min: 1, step: "any", value: values[name], required: true }, say.cameras[name][1]);
    return make(
      "details",
      { open: Boolean(settings.sub_address) },
      make("summary", {}, say.cameras.more),
      sub.address,
      sub.login,
      how,
      field(say.cameras.trusted, { name: "trust", value: values.trust, autocomplete: "off", spellcheck: "false" }, say.cameras.trustedTold),
      seconds("timeout_s"),
      make("div", { class: "pair" }, seconds("segment_s"), seconds("flush_s")),
    );
  }

  /** @param {SetUp} camera */
  #foot(camera) {
    const remove = make("button", { type: "button", class: "plain remove" }, say.cameras.remove);
    remove.addEventListener("click", () => void removing(camera).then((gone) => gone && go({ view: "cameras" })));
    const cancel = make("a", { class: "button", href: address({ view: "cameras" }) }, say.app.cancel);
    return make("div", { class: "buttons foot" }, this.#save, cancel, remove);
  }

  #wish() {
    const form = /** @type {HTMLFormElement} */ (this.#form);
    const settings = /** @type {Settings} */ (this.#settings);
    const typed = fields(form);
    const weekly = typed.mode === "schedule";
    if (!weekly) delete typed.zone;
    return changes(settings, typed, this.#audio.checked, weekly ? this.#week.value : settings.schedule);
  }

  /** Something was changed, or changed back. */
  #look() {
    const mode = this.#form && fields(this.#form).mode;
    const weekly = /** @type {HTMLElement} */ (this.querySelector(".weekly"));
    weekly.hidden = mode !== "schedule";
    this.#save.disabled = !Object.keys(this.#wish()).length;
  }

  /** @param {string} fingerprint */
  #trust(fingerprint) {
    const input = this.#form?.elements.namedItem("trust");
    if (input instanceof HTMLInputElement) input.value = fingerprint;
    this.#look();
    void this.#test();
  }

  async #test() {
    const signal = /** @type {AbortController} */ (this.#life).signal;
    const wanted = { id: this.getAttribute("camera"), ...connection(this.#wish()) };
    const none = make("p");
    await attempt(this, none, async () => void (await this.#trial?.run(wanted, signal)));
    this.#look();
  }

  async #store() {
    const id = this.getAttribute("camera") ?? "";
    const settings = /** @type {Settings} */ (this.#settings);
    const wish = this.#wish();
    let told = "";
    await attempt(this, this.#told, async () => {
      try {
        await setup.change(id, wish);
        await recorder.refresh();
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        told = error.message;
      }
    });
    this.#look();
    if (told) {
      if (!wrong(/** @type {HTMLFormElement} */ (this.#form), told)) this.#told.textContent = sentence(told);
      return;
    }
    const old = back(wish, settings);
    const undo = async () => {
      await setup.change(id, old ?? {});
      await recorder.refresh();
    };
    tell(say.cameras.saved(String(wish.name ?? settings.name)), old ? { undo } : {});
    go({ view: "cameras" });
  }
}

function up() {
  return make("a", { class: "up", href: address({ view: "cameras" }) }, icon("back"), say.app.cameras);
}

customElements.define("camkeep-camera-edit", CameraEdit);
