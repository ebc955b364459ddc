// @ts-check
/** `<camkeep-coverage>`: month by month, how much of each day is there of each camera; and why not all. */

import { lasted, percent } from "./amounts.js";
import { api, call, now } from "./api.js";
import { icon, make, write } from "./dom.js";
import { begins, dayName, firstDay, monthOf, moved, weeksOf } from "./month.js";
import { address, go } from "./place.js";
import { recorder } from "./recorder.js";
import { trying } from "./rows.js";
import { say } from "./say-more.js";
import { locale } from "./say.js";
import { Section } from "./section.js";

/** @typedef {{day: string, start_us: number, end_us: number, recorded_us: number, share: number | null, missing_us: Record<string, number>, removed_us: number}} Day */

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
/** What nobody wanted recorded is no failing. */
const UNWANTED = ["switched-off", "not-wanted"];
/** How far an arrow key goes in a calendar. @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, Home: -31, End: 31 };

class CoverageSection extends Section {
  /** @override */
  every = 60_000;
  #month = monthOf(now() * 1000);
  /** When the first picture was made. */
  #first = now() * 1000;
  #name = make("h2", { class: "time", "aria-live": "polite" });
  #earlier = make("button", { type: "button", "aria-label": say.system.earlier, onclick: () => this.#turnTo(-1) }, icon("back"));
  #later = make("button", { type: "button", class: "later", "aria-label": say.system.later, onclick: () => this.#turnTo(1) }, icon("back"));
  #tip = make("div", { class: "tip", "aria-hidden": "true", hidden: true });

  constructor() {
    super();
    for (const name of ["pointerover", "focusin"]) this.body.addEventListener(name, (event) => this.#tell(event.target));
    for (const name of ["pointerleave", "focusout"]) this.body.addEventListener(name, () => this.#tell(null));
    this.body.addEventListener("keydown", (event) => this.#step(event));
    this.body.addEventListener("click", (event) => this.#open(event));
  }

  /** @override */
  frame() {
    return { title: say.system.coverage, head: [make("div", { class: "months" }, this.#earlier, this.#name, this.#later)], foot: [this.#tip] };
  }

  /** @override */
  async load() {
    const month = this.#month;
    const [from, to] = [begins(month), Math.min(begins(moved(month, 1)), now() * 1000)];
    const query = `from=${from}&to=${to}&zone=${encodeURIComponent(zone)}`;
    /** @type {import("./storage.js").Storage} */
    const storage = await call("GET", "/storage");
    const kept = new Set(storage.cameras.map(({ camera }) => camera));
    const cameras = recorder.cameras ?? [];
    const none = { days: [] };
    const found = await Promise.all(
      cameras.map(({ id }) => (kept.has(id) ? call("GET", `/cameras/${encodeURIComponent(id)}/days?${query}`) : none)),
    );
    this.#first = Math.min(now() * 1000, ...storage.cameras.flatMap(({ start_us: start }) => start ?? []));
    this.#frame();
    return [make("div", { class: "calendars" }, ...cameras.map((camera, n) => calendar(camera, month, found[n].days))), key()];
  }

  #frame() {
    write(this.#name, new Date(this.#month.year, this.#month.month).toLocaleDateString(locale, { month: "long", year: "numeric" }));
    this.#earlier.disabled = begins(this.#month) <= this.#first;
    this.#later.disabled = begins(moved(this.#month, 1)) > now() * 1000;
  }

  /** @param {number} months */
  #turnTo(months) {
    this.#month = moved(this.#month, months);
    this.#frame();
    void this.look();
  }

  /** What of a day there is, beside it. @param {EventTarget | null} target */
  #tell(target) {
    const day = dayOf(target);
    this.#tip.hidden = !day;
    if (!day) return;
    this.#tip.replaceChildren(...(day.getAttribute("aria-label") ?? "").split("\n").map((line) => make("span", {}, line)));
    const [there, here, own] = [day.getBoundingClientRect(), this.getBoundingClientRect(), this.#tip.getBoundingClientRect()];
    const left = Math.min(Math.max(here.left, there.left + there.width / 2 - own.width / 2), here.right - own.width);
    const above = there.top - own.height - 8;
    this.#tip.style.left = `${left - here.left}px`;
    this.#tip.style.top = `${(above > 8 ? above : there.bottom + 8) - here.top}px`;
  }

  /** @param {KeyboardEvent} event */
  #step(event) {
    const day = dayOf(event.target);
    const step = STEPS[event.key];
    if (!day || !step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const all = [.../** @type {HTMLElement} */ (day.closest("table")).querySelectorAll("a")];
    const next = all[Math.max(0, Math.min(all.length - 1, all.indexOf(day) + step))];
    day.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  /** The first picture of that day, rather than midnight. @param {MouseEvent} event */
  #open(event) {
    const day = dayOf(event.target);
    if (!day || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const { camera = "", from, to } = day.dataset;
    void trying(async () => {
      const { at_us: at } = await api.nextFootage([camera], Number(from), false);
      go({ camera, at: at === null || at >= Number(to) ? Number(from) : at });
    });
  }
}

/** @param {EventTarget | null} target @returns {HTMLAnchorElement | null} */
function dayOf(target) {
  return target instanceof Element ? target.closest(".calendar a") : null;
}

/** @param {import("./api.js").Camera} camera @param {import("./month.js").Month} month @param {Day[]} days */
function calendar({ id, name }, month, days) {
  const first = firstDay(locale);
  const known = new Map(days.map((day) => [day.day, day]));
  const today = dayName(monthOf(now() * 1000), new Date(now()).getDate());
  const last = days.at(-1)?.day;
  const heads = [0, 1, 2, 3, 4, 5, 6].map((n) => {
    const at = new Date(2024, 0, first + n); // the first of that January was a Monday
    return make("th", { scope: "col", abbr: at.toLocaleDateString(locale, { weekday: "long" }) }, at.toLocaleDateString(locale, { weekday: "short" }));
  });
  const rows = weeksOf(month, first).map((week) =>
    make("tr", {}, ...week.map((day) => {
      const date = dayName(month, day);
      const found = known.get(date);
      const text = day ? String(day) : "";
      return make("td", { class: date === today && "today" }, found ? link(id, text, found, found.day === last) : make("span", {}, text));
    })),
  );
  const caption = make("caption", {}, make("b", {}, name), make("span", { class: "quiet time" }, ofAll(days)));
  return make("table", { class: "calendar" }, caption, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
}

/** @param {Day[]} days */
function ofAll(days) {
  const recorded = days.reduce((sum, { recorded_us: us }) => sum + us, 0);
  const missing = days.reduce((sum, day) => sum + missingOf(day), 0);
  return recorded + missing > 0 ? percent(recorded / (recorded + missing)) : say.system.noDay;
}

/** What should have been recorded and was not. @param {Day} day */
function missingOf({ share, recorded_us: recorded, missing_us: missing }) {
  if (share) return recorded / share - recorded;
  return Object.entries(missing).reduce((sum, [cause, us]) => (UNWANTED.includes(cause) ? sum : sum + us), 0);
}

/** @param {string} camera @param {string} text @param {Day} day @param {boolean} reached by Tab */
function link(camera, text, day, reached) {
  const { share, start_us: from, end_us: to } = day;
  const lacks = missingOf(day) >= 1e6;
  const known = { "data-camera": camera, "data-from": from, "data-to": to };
  const made = make("a", { href: address({ camera, at: from }), class: lacks ? "lacks" : "", tabindex: reached ? 0 : -1, "aria-label": words(day), ...known }, text);
  made.style.setProperty("--share", String(share ?? 0));
  return made;
}

/** In lines: the day, how much is there, what is missing and why. @param {Day} day */
function words({ start_us: from, end_us: to, recorded_us: recorded, share, missing_us: missing, removed_us: removed }) {
  const date = new Date((from + to) / 2000).toLocaleDateString(locale, { dateStyle: "full" });
  const length = lasted(Math.min(to, now() * 1000) - from);
  /** @type {Record<string, string>} */
  const causes = say.timeline.causes;
  const lines = [date, recorded > 0 ? say.system.ofDay(lasted(recorded), length) : say.timeline.nothing];
  if (share !== null && share < 1 && recorded > 0) lines[1] += ` (${percent(share)})`;
  const why = Object.entries(missing).sort(([, one], [, other]) => other - one).filter(([, us]) => us >= 1e6);
  lines.push(...why.map(([cause, us]) => say.system.missing(lasted(us), causes[cause] ?? cause)));
  if (removed >= 1e6) lines.push(say.system.removed(lasted(removed)));
  return lines.join("\n");
}

/** What the days look like. */
function key() {
  const shares = [0, 0.5, 1].map((share) => {
    const made = make("i");
    made.style.setProperty("--share", String(share));
    return made;
  });
  return make("p", { class: "key hint" }, say.system.nothing, ...shares, say.system.everything, make("i", { class: "lacks" }), say.system.lacks);
}

customElements.define("camkeep-coverage", CoverageSection);
