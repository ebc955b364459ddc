// @ts-check
/** `<camkeep-events>`: what happened, the newest first, and as it happens. */

import { call, now } from "./api.js";
import { icon, make } from "./dom.js";
import { choice } from "./forms.js";
import { address } from "./place.js";
import { recorder } from "./recorder.js";
import { button } from "./rows.js";
import { say } from "./say-more.js";
import { locale } from "./say.js";
import { Section } from "./section.js";
import { clock, isSameDay } from "./timescale.js";
import { saying, sentence } from "./words.js";

/** @typedef {"state" | "recording" | "storage" | "settings"} Kind */
/** @typedef {{id: number, time_us: number, kind: Kind, camera: string | null, told: string, detail: Record<string, string | number | boolean | null>}} Happened */

const PAGE = 50;
const KINDS = /** @type {Kind[]} */ (["state", "recording", "storage", "settings"]);

class Events extends Section {
  /** @override */
  every = 10_000;
  /** The newest first. @type {Happened[]} */
  #known = [];
  #wish = "";
  #more = button(say.people.more, "", () => this.#go());
  #kind = choice(say.system.kind, "kind", [["", say.system.allKinds], ...KINDS.map((each) => [each, say.system.kinds[each]])]);
  #camera = choice(say.system.camera, "camera", [["", say.system.allCameras], ...(recorder.cameras ?? []).map(({ id, name }) => [id, name])]);

  /** @override */
  frame() {
    const filters = make("div", { class: "filters", onchange: () => this.#anew() }, this.#kind, this.#camera);
    this.#more.hidden = true;
    return { title: say.system.events, head: [filters], foot: [make("div", { class: "buttons" }, this.#more)] };
  }

  #anew() {
    const [kind, camera] = [this.#kind, this.#camera].map((each) => /** @type {HTMLSelectElement} */ (each.querySelector("select")).value);
    this.#wish = `${kind && `&kind=${kind}`}${camera && `&camera=${encodeURIComponent(camera)}`}`;
    this.#known = [];
    void this.look();
  }

  /** @override */
  async load() {
    const [newest, wish] = [this.#known[0]?.id, this.#wish];
    const more = newest === undefined ? "" : `&since=${newest}`;
    const { events, next } = await call("GET", `/events?limit=${PAGE}${wish}${more}`);
    if (wish !== this.#wish || this.#known[0]?.id !== newest) return this.#shown(); // somebody else was quicker
    this.#known = newest === undefined ? events : [...events.reverse(), ...this.#known];
    if (newest === undefined) this.#more.hidden = next === null;
    return this.#shown();
  }

  async #go() {
    const before = this.#known.at(-1)?.id;
    const wish = this.#wish;
    const { events, next } = await call("GET", `/events?limit=${PAGE}${wish}&before=${before}`);
    if (wish !== this.#wish) return;
    this.#known = [...this.#known, ...events];
    this.#more.hidden = next === null;
    await this.look();
  }

  #shown() {
    if (!this.#known.length) return [make("p", { class: "quiet" }, say.system.noEvent)];
    /** @type {Happened[][]} */
    const days = [];
    for (const each of this.#known) {
      const day = days.at(-1);
      if (day && isSameDay(day[0].time_us, each.time_us)) day.push(each);
      else days.push([each]);
    }
    return days.map((day) => make("section", {}, make("h2", {}, dateOf(day[0].time_us)), make("ul", { class: "events" }, ...day.map(line))));
  }
}

/** @param {number} us */
function dateOf(us) {
  if (isSameDay(us, now() * 1000)) return say.system.today;
  return new Date(us / 1000).toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
}

/** @param {Happened} event */
function line(event) {
  const { time_us: at, kind, camera, detail } = event;
  const known = recorder.cameras?.find(({ id }) => id === camera);
  const name = known?.name ?? (typeof detail.name === "string" ? detail.name : camera ? say.system.gone : say.system.allOf);
  const bad = ["waiting", "refused"].includes(String(detail.state)) || detail.well === false;
  return make(
    "li",
    {},
    make(
      "a",
      { href: address({ camera: known?.id, at }) },
      make("span", { class: "time" }, clock(at, true, locale)),
      make("span", { class: "kind" }, bad && icon("trouble"), say.system.kinds[kind] ?? kind),
      make("b", {}, name),
      make("span", { class: "told" }, told(event)),
    ),
  );
}

/** @param {Happened} event */
function told({ kind, detail, told: said }) {
  if (kind === "state" && typeof detail.state === "string") {
    const { word, tone } = saying(detail.state, said);
    return tone === "trouble" ? `${word}. ${sentence(said)}` : word;
  }
  if (typeof detail.recording === "boolean") return detail.recording ? say.system.began : say.system.ended;
  if (typeof detail.open === "boolean") return detail.open ? say.system.clipBegan : say.system.clipEnded;
  return detail.well === true ? say.system.wellAgain : sentence(said);
}

customElements.define("camkeep-events", Events);
