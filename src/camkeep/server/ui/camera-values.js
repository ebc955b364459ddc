// @ts-check
/** What the form of a camera holds, and what of it is another than before. Pure. */

import { same } from "./week.js";

/** @typedef {import("./setup.js").Settings} Settings */
/** @typedef {import("./setup.js").Wish} Wish */

const DAY_S = 86_400;
const GB = 1e9;

/**
 * A pasted address with user and password in it, taken apart; null where there are none.
 *
 * @param {string} address
 */
export function apart(address) {
  const found = /^\s*([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@(.*)$/is.exec(address);
  if (!found) return null;
  const [, scheme, login, rest] = found;
  const colon = login.indexOf(":");
  const [user, password] = colon < 0 ? [login, ""] : [login.slice(0, colon), login.slice(colon + 1)];
  return { address: scheme + rest.trim(), user: plain(user), password: plain(password) };
}

/** @param {string} text */
function plain(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a password that has a % and was not meant to be read so
  }
}

/**
 * What stands in the fields of a form.
 *
 * @param {Settings} settings
 * @returns {Record<string, string>}
 */
export function filled(settings) {
  return {
    name: settings.name,
    address: settings.address,
    user: settings.user ?? "",
    sub_address: settings.sub_address ?? "",
    sub_user: settings.sub_user ?? "",
    transport: settings.transport,
    trust: settings.trust ?? "",
    mode: settings.mode,
    zone: settings.zone,
    pre_roll_s: String(settings.pre_roll_s),
    segment_s: String(settings.segment_s),
    flush_s: String(settings.flush_s),
    timeout_s: String(settings.timeout_s),
    days: settings.max_age_s === null ? "" : String(round(settings.max_age_s / DAY_S)),
    gigabytes: settings.max_bytes === null ? "" : String(round(settings.max_bytes / GB)),
  };
}

/**
 * What the recorder is to be told: only what is another than before, and passwords that were typed.
 *
 * @param {Settings} settings
 * @param {Record<string, string>} typed by the names of fields
 * @param {boolean} audio
 * @param {string[]} schedule
 * @returns {Wish}
 */
export function changes(settings, typed, audio, schedule) {
  /** @type {Wish} */
  const wish = {};
  const before = filled(settings);
  for (const [name, old] of Object.entries(before)) {
    const value = typed[name]?.trim();
    if (value === undefined || value === old.trim()) continue;
    if (name === "days") wish.max_age_s = amount(value, DAY_S);
    else if (name === "gigabytes") wish.max_bytes = amount(value, GB);
    else if (name.endsWith("_s")) wish[name] = Number(value);
    else wish[name] = value || (NONE.includes(name) ? null : "");
  }
  for (const name of ["password", "sub_password"]) if (typed[name]) wish[name] = typed[name];
  if (audio !== settings.audio) wish.audio = audio;
  if (!same(schedule, settings.schedule)) wish.schedule = schedule;
  return wish;
}

const NONE = ["user", "sub_address", "sub_user", "trust"];
const CONNECTION = /^(sub_)?(address|user|password)$|^(transport|trust|timeout_s)$/;

/** Of changes, those that matter to the connection: what can be tested. @param {Wish} wish */
export function connection(wish) {
  return Object.fromEntries(Object.entries(wish).filter(([name]) => CONNECTION.test(name)));
}

/** What takes changes back; null where a password was among them, which nobody knows. @param {Wish} wish @param {Settings} settings @returns {Wish | null} */
export function back(wish, settings) {
  const names = Object.keys(wish);
  if (names.some((name) => CONNECTION.test(name) && name !== "transport")) return null;
  return Object.fromEntries(names.map((name) => [name, settings[/** @type {"name"} */ (name)]]));
}

/** @param {string} text @param {number} unit */
function amount(text, unit) {
  return text ? Math.round(Number(text) * unit) : null;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 1000) / 1000;
}
