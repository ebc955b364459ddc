// @ts-check
/** `<camkeep-storage>`: what fills the disk, for how long it lasts, and how much is to be kept. */

import { roughly } from "./amounts.js";
import { call } from "./api.js";
import { make } from "./dom.js";
import { policyForm } from "./policy.js";
import { recorder } from "./recorder.js";
import { say } from "./say-more.js";
import { locale } from "./say.js";
import { Section, cell, heads, trouble } from "./section.js";
import { sized } from "./words.js";

/** @typedef {{bytes_per_s: number | null, full_in_days: number | null, keeps_days: number | null, bound: string | null}} Forecast */
/** @typedef {{max_bytes: number | null, max_age_s: number | null, keep_free_bytes: number}} Policy */
/** @typedef {{camera: string, name: string, bytes: number, held_bytes: number, start_us: number | null, forecast: Forecast}} CameraStorage */
/**
 * @typedef {object} Storage
 * @property {CameraStorage[]} cameras
 * @property {number} bytes
 * @property {number} held_bytes
 * @property {{total_bytes: number, free_bytes: number} | null} disk
 * @property {Policy | null} policy
 * @property {Forecast | null} forecast
 * @property {boolean} full_in_vain
 */

const DAY_S = 86_400;

class StorageSection extends Section {
  #form = make("div");
  /** What the form speaks of. @type {Storage | null} */
  #found = null;

  /** @override */
  frame() {
    return { title: say.system.storage, foot: [this.#form] };
  }

  /** @override */
  async load() {
    /** @type {Storage} */
    const found = await call("GET", "/storage");
    this.#found = found;
    if (found.policy && recorder.may("admin") && !this.#form.firstChild) {
      this.#form.append(policyForm(found.policy, () => this.#found, () => this.look()));
    }
    const { disk, policy, forecast, cameras } = found;
    return [
      found.full_in_vain && trouble(say.system.inVain),
      forecast && make("p", { class: "lead" }, lastingOf(forecast)),
      disk && policy && bar(found, disk, policy),
      cameras.length > 0 && table(cameras),
    ];
  }
}

/** @param {Forecast} forecast */
function lastingOf({ bytes_per_s: rate, full_in_days: full, keeps_days: keeps, bound }) {
  if (rate === null) return say.system.notYet;
  if (rate === 0) return say.system.still;
  if (keeps === null) return say.system.never;
  if (full === null || bound === "age") return say.system.aged(roughly(keeps));
  return full > 0 ? say.system.room(roughly(full), roughly(keeps)) : say.system.full(roughly(keeps));
}

/**
 * The disk from end to end: what is ours, what is others', what is free, and of that what stays free.
 *
 * @param {Storage} storage
 * @param {{total_bytes: number, free_bytes: number}} disk
 * @param {Policy} policy
 */
function bar({ bytes, held_bytes: held }, { total_bytes: total, free_bytes: free }, { keep_free_bytes: keep, max_bytes: most }) {
  const kept = Math.min(keep, free);
  /** @type {[string, string, number, string?][]} */
  const parts = [
    ["ours", say.system.recordings, bytes, held > 0 ? say.system.held(sized(held)) : ""],
    ["others", say.system.others, Math.max(0, total - free - bytes)],
    ["empty", say.system.empty, free - kept],
    ["spare", say.system.spare, kept, kept < keep ? say.system.wanted(sized(keep)) : ""],
  ];
  const shown = parts.filter(([name, , size]) => size > 0 || name === "ours");
  const line = make("div", { class: "disk", "aria-hidden": "true" });
  for (const [name, , size] of shown) {
    const part = make("span", { class: name });
    part.style.flexGrow = String(size / total);
    line.append(part);
  }
  if (most !== null && most < total) {
    const mark = make("i");
    mark.style.insetInlineStart = `${(most / total) * 100}%`;
    line.append(mark);
  }
  const legend = shown.map(([name, word, size, more]) =>
    make("div", {}, make("dt", {}, make("span", { class: `swatch ${name}` }), word), make("dd", { class: "time" }, sized(size), make("span", { class: "hint" }, more))),
  );
  return make("div", { class: "disks" }, line, make("dl", { class: "legend" }, ...legend));
}

/** @param {CameraStorage[]} cameras */
function table(cameras) {
  const most = Math.max(1, ...cameras.map(({ bytes }) => bytes));
  const rows = [...cameras].sort((one, other) => other.bytes - one.bytes).map((each) => {
    const { bytes_per_s: rate, keeps_days: keeps } = each.forecast;
    const amount = make("span", { class: "amount", "aria-hidden": "true" }, make("i"));
    const [fill] = /** @type {HTMLCollectionOf<HTMLElement>} */ (amount.children);
    fill.style.width = `${(each.bytes / most) * 100}%`;
    const held = each.held_bytes > 0 && make("span", { class: "hint" }, say.system.held(sized(each.held_bytes)));
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, make("span", {}, each.name), each.bytes > 0 && amount, held),
      cell(sized(each.bytes)),
      cell(rate ? sized(rate * DAY_S) : "–", true),
      cell(each.start_us === null ? "–" : new Date(each.start_us / 1000).toLocaleDateString(locale, { dateStyle: "medium" }), true),
      cell(keeps === null ? "–" : roughly(keeps)),
    );
  });
  const head = heads(say.system.camera, [say.system.size, false], [say.system.perDay, true], [say.system.from, true], [say.system.keeps, false]);
  return make("table", { class: "figures" }, head, make("tbody", {}, ...rows));
}

customElements.define("camkeep-storage", StorageSection);
