// @ts-check
/** What is said to people: states, times, amounts. Pure, but for their language. */

import { locale, say } from "./say.js";

/** @typedef {import("./api.js").Camera} Camera */

/**
 * How a picture is at this moment.
 *
 * `quiet`: all is well, or soon will be; `trouble`: somebody should know.
 * @typedef {{word: string, told: string, tone: "live" | "quiet" | "trouble"}} Saying
 */

const LIVE = ["live", "playing"];
const TROUBLE = ["waiting", "refused", "failed", "unplayable"];

/**
 * What to say of a camera's state. `told` is the recorder's own sentence, where it has one.
 *
 * @param {string} state
 * @param {string} [told]
 * @returns {Saying}
 */
export function saying(state, told = "") {
  const known = Object.hasOwn(say.live, state) ? state : "connecting";
  const [word, usual] = say.live[/** @type {"live"} */ (known)];
  const tone = LIVE.includes(known) ? "live" : TROUBLE.includes(known) ? "trouble" : "quiet";
  return { word, told: told ? sentence(told) : usual, tone };
}

/**
 * With a capital letter and a full stop.
 *
 * @param {string} text
 */
export function sentence(text) {
  const plain = text.trim();
  if (!plain) return "";
  const begun = plain[0].toUpperCase() + plain.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/**
 * How long something has been running: 0:07, 12:03, 1:02:03.
 *
 * @param {number} ms
 */
export function running(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/**
 * How long ago: "now", "3 s ago", "2 min ago", "5 h ago", "2 days ago".
 *
 * @param {number} ms
 */
export function ago(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 1) return say.words.now;
  if (seconds < 60) return say.words.seconds(seconds);
  if (seconds < 3600) return say.words.minutes(Math.floor(seconds / 60));
  if (seconds < 2 * 86_400) return say.words.hours(Math.floor(seconds / 3600));
  return say.words.days(Math.floor(seconds / 86_400));
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/**
 * A size: 4.1 MB, with as many figures while it grows.
 *
 * @param {number} bytes
 */
export function sized(bytes) {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  const digits = power ? 1 : 0;
  const shape = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return `${(bytes / 1000 ** power).toLocaleString(locale, shape)} ${UNITS[power]}`;
}

/**
 * The time of a picture, 14:03:05, with the date when that is not today's.
 *
 * @param {number} us microseconds since 1970
 * @param {number} nowMs
 * @param {string} [zone] an IANA name; this machine's where it is left away
 */
export function moment(us, nowMs, zone) {
  const at = new Date(us / 1000);
  const day = (/** @type {Date} */ of) => of.toLocaleDateString("sv-SE", { timeZone: zone });
  const time = at.toLocaleTimeString("sv-SE", { timeZone: zone });
  return day(at) === day(new Date(nowMs)) ? time : `${day(at)} ${time}`;
}

/** What codec strings (RFC 6381) begin with. @type {Record<string, string>} */
const FORMATS = {
  avc: "H.264", hvc: "H.265", hev: "H.265", jpe: "JPEG", mp4: "AAC", opu: "Opus",
};

/** Codecs as people call them. @param {string[]} strings */
export function codecs(strings) {
  return strings.map((each) => FORMATS[each.slice(0, 3).toLowerCase()] ?? each).join(", ");
}

/** @type {Record<string, string>} */
const CODECS = { h264: "H.264", h265: "H.265", jpeg: say.words.jpeg };

/**
 * What a camera that was tested sends, in one line; empty where no picture came.
 *
 * @param {import("./api.js").Report | null} report
 */
export function sends(report) {
  if (!report?.video) return "";
  const { codec, width, height } = report.video;
  const rate = report.measured_fps ? say.words.fps(round(report.measured_fps)) : "";
  const sound = report.audio ? say.words.sound : say.words.noSound;
  return [CODECS[codec] ?? codec, `${width} × ${height}`, rate, sound].filter(Boolean).join(", ");
}

/** @param {number} fps */
function round(fps) {
  return fps < 10 ? Math.round(fps * 10) / 10 : Math.round(fps);
}

/**
 * A name for a camera of which only the address is known: the host, or "webcam".
 *
 * @param {string} address
 */
export function nameOf(address) {
  const plain = address.trim();
  if (!plain) return "";
  const host = /^[a-z0-9+]+:\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^/:?#]+)/i.exec(plain);
  if (host) return host[1].replace(/^\[|\]$/g, "");
  if (plain.startsWith("testcard:")) return say.words.testCard;
  return /^(\d+|\/dev\/.*)$/.test(plain) ? say.words.webcam : "";
}
