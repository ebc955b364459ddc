// @ts-check
/** What is said to people: states, times, amounts. Pure. */

/** @typedef {import("./api.js").Camera} Camera */

/**
 * How a picture is at this moment.
 *
 * `quiet`: all is well, or soon will be; `trouble`: somebody should know.
 * @typedef {{word: string, told: string, tone: "live" | "quiet" | "trouble"}} Saying
 */

/** @type {Record<string, Saying>} */
const SAYINGS = {
  live: { word: "Live", told: "", tone: "live" },
  idle: { word: "Connecting", told: "", tone: "quiet" },
  connecting: { word: "Connecting", told: "", tone: "quiet" },
  waiting: { word: "No picture", told: "The camera does not answer.", tone: "trouble" },
  refused: { word: "Refused", told: "The camera does not let camkeep in.", tone: "trouble" },
  failed: { word: "Not watched", told: "This camera cannot be watched.", tone: "trouble" },
  off: { word: "Off", told: "Switched off. Nothing is fetched or recorded.", tone: "quiet" },
  away: { word: "Paused", told: "", tone: "quiet" },
  unplayable: {
    word: "Not shown",
    told: "This browser cannot play what the camera sends. It is recorded all the same.",
    tone: "trouble",
  },
};

/**
 * What to say of a camera's state. `told` is the recorder's own sentence, where it has one.
 *
 * @param {string} state
 * @param {string} [told]
 * @returns {Saying}
 */
export function saying(state, told = "") {
  const found = SAYINGS[Object.hasOwn(SAYINGS, state) ? state : "connecting"];
  return { ...found, told: told ? sentence(told) : found.told };
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
  if (seconds < 1) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} days ago`;
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

/** @type {Record<string, string>} */
const CODECS = { h264: "H.264", h265: "H.265", jpeg: "JPEG pictures" };

/**
 * What a camera that was tested sends, in one line; empty where no picture came.
 *
 * @param {import("./api.js").Report | null} report
 */
export function sends(report) {
  if (!report?.video) return "";
  const { codec, width, height } = report.video;
  const rate = report.measured_fps ? `${round(report.measured_fps)} pictures a second` : "";
  const sound = report.audio ? "with sound" : "without sound";
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
  if (plain.startsWith("testcard:")) return "test card";
  return /^(\d+|\/dev\/.*)$/.test(plain) ? "webcam" : "";
}
