// @ts-check
/** `<camkeep-week>`: on which days and at which hours. Its `value` is the recorder's own writing. */

import { icon, make } from "./dom.js";
import { say } from "./say-more.js";
import { locale } from "./say.js";
import { DAYS, covered, parse, text } from "./week.js";

/** @typedef {import("./week.js").Interval} Interval */

const USUAL = { days: [true, true, true, true, true, false, false], start: "08:00", end: "18:00" };
const MONDAY = Date.UTC(2024, 0, 1);

/** @param {"short" | "long"} weekday */
const named = (weekday) =>
  DAYS.map((_, n) =>
    new Date(MONDAY + n * 86_400_000).toLocaleDateString(locale, { weekday, timeZone: "UTC" }),
  );

class Week extends HTMLElement {
  #rows = make("div", { class: "hours" });
  #picture = make("div", { class: "week", "aria-hidden": "true" });
  #text = make("p", { class: "hint time" });
  /** @type {Interval[]} */
  #intervals = [];

  connectedCallback() {
    if (this.childElementCount) return;
    const add = make("button", { type: "button", onclick: () => this.#add() }, icon("add"), say.cameras.addHours);
    this.append(this.#rows, add, this.#picture, this.#text);
    this.#fill();
  }

  get value() {
    return this.#intervals.filter(({ days }) => days.some(Boolean)).map(text);
  }

  set value(all) {
    this.#intervals = all.length ? all.map(parse) : [{ ...USUAL, days: [...USUAL.days] }];
    this.#fill();
  }

  #fill() {
    this.#rows.replaceChildren(...this.#intervals.map((interval) => this.#row(interval)));
    this.#draw();
  }

  /** @param {Interval} interval */
  #row(interval) {
    const [short, long] = [named("short"), named("long")];
    const days = interval.days.map((checked, n) => {
      const box = make("input", { type: "checkbox", class: "sr", checked, "aria-label": long[n] });
      box.addEventListener("change", () => this.#changed(() => (interval.days[n] = box.checked)));
      return make("label", { class: "day" }, box, make("span", {}, short[n]));
    });
    const time = (/** @type {"start" | "end"} */ of) => {
      const label = of === "start" ? say.cameras.from : say.cameras.until;
      const input = make("input", { type: "time", value: interval[of], required: true, "aria-label": label });
      input.addEventListener("change", () => {
        if (input.value) this.#changed(() => (interval[of] = input.value.slice(0, 5)));
      });
      return input;
    };
    const gone = make("button", { type: "button", class: "plain", "aria-label": say.cameras.removeHours }, icon("close"));
    gone.addEventListener("click", () => {
      this.#changed(() => this.#intervals.splice(this.#intervals.indexOf(interval), 1));
      this.#fill();
      this.querySelector("button")?.focus();
    });
    const whole = make("fieldset", {}, make("legend", { class: "sr" }, say.cameras.hours));
    whole.append(make("div", { class: "days" }, ...days), make("div", { class: "times" }, time("start"), "–", time("end"), gone));
    return whole;
  }

  #add() {
    this.#changed(() => this.#intervals.push({ ...USUAL, days: [...USUAL.days] }));
    this.#fill();
    this.#rows.lastElementChild?.querySelector("input")?.focus();
  }

  /** @param {() => unknown} change */
  #changed(change) {
    change();
    this.#draw();
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #draw() {
    const names = named("short");
    const lines = covered(this.#intervals).map((parts, day) => {
      const bars = parts.map(([from, to]) => {
        const bar = make("i");
        bar.style.left = `${from * 100}%`;
        bar.style.width = `${(to - from) * 100}%`;
        return bar;
      });
      return make("div", {}, make("span", { class: "hint" }, names[day]), make("span", { class: "line" }, ...bars));
    });
    const hours = [0, 6, 12, 18, 24].map((hour) => make("span", {}, String(hour)));
    this.#picture.replaceChildren(...lines, make("div", { class: "scale hint time" }, ...hours));
    this.#text.textContent = this.value.join(" · ");
  }
}

customElements.define("camkeep-week", Week);
export { Week };
