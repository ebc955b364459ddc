// @ts-check
/** `<camkeep-health>`: how the cameras are, and for administrators the service; trouble first. */

import { figure, lasted, percent } from "./amounts.js";
import { call, now } from "./api.js";
import { icon, make } from "./dom.js";
import { address } from "./place.js";
import { recorder } from "./recorder.js";
import { say } from "./say-more.js";
import { locale } from "./say.js";
import { Section, cell, heads, trouble } from "./section.js";
import { moment } from "./timescale.js";
import { saying, sentence, sized } from "./words.js";

/**
 * @typedef {object} CameraHealth
 * @property {string} camera
 * @property {string} name
 * @property {string} state
 * @property {number | null} since_us
 * @property {string} told
 * @property {boolean} recording
 * @property {number | null} fps
 * @property {number | null} bits_per_s
 * @property {number} drops
 * @property {number | null} clock_offset_s
 * @property {number | null} coverage_day
 */
/** @typedef {{version: string, uptime_s: number, memory_bytes: number | null, longest_pause_s: number, backlog_bytes: number, disk_free_bytes: number | null, problems: string[]}} ServiceHealth */
/** @typedef {{versions: Record<string, string>, archive: string, started_us: number}} System */

/** Nobody watches it, and nothing of it is kept meanwhile. */
const RESTS = { word: say.system.rests, told: "", tone: /** @type {const} */ ("quiet") };
const CLOCK_S = 10;
/** A camera's clock that is farther off is told of. */

class Health extends Section {
  /** @override */
  every = 5000;

  /** @override */
  frame() {
    return { title: say.system.health };
  }

  /** @override */
  async load() {
    const asked = [call("GET", "/health"), recorder.may("admin") ? call("GET", "/system") : null];
    /** @type {[{cameras: CameraHealth[], service: ServiceHealth | null}, System | null]} */
    const [{ cameras, service }, system] = await /** @type {any} */ (Promise.all(asked));
    const watched = new Set(cameras.map(({ camera }) => camera));
    const failed = (recorder.cameras ?? []).filter(({ id }) => !watched.has(id)).map(notWatched);
    const all = [...failed, ...cameras].map((each) => ({ ...each, says: each.state === "idle" ? RESTS : saying(each.state, each.told) }));
    const bad = all.filter(({ says }) => says.tone === "trouble");
    const good = all.filter(({ says }) => says.tone !== "trouble");
    const troubles = (service?.problems ?? []).map((told) => trouble(sentence(told)));
    return [
      ...troubles,
      troubles.length === 0 && summary(all.length, bad.length),
      table([...bad, ...good]),
      service && make("h2", {}, say.system.service),
      service && system && figures(service, system),
    ];
  }
}

/** @param {import("./api.js").Camera} camera @returns {CameraHealth} */
function notWatched({ id, name, state, told }) {
  const none = { since_us: null, recording: false, fps: null, bits_per_s: null, drops: 0, clock_offset_s: null, coverage_day: null };
  return { camera: id, name, state: state === "off" ? state : "failed", told, ...none };
}

/** @param {number} all @param {number} bad */
function summary(all, bad) {
  return bad ? trouble(say.system.bad(bad, all)) : make("p", { class: "lead" }, say.system.well);
}

/** @param {(CameraHealth & {says: import("./words.js").Saying})[]} cameras */
function table(cameras) {
  const rows = cameras.map((each) => {
    const { says, fps, bits_per_s: bits, coverage_day: share } = each;
    const name = make("a", { href: address({ camera: each.camera }) }, each.name);
    const bad = says.tone === "trouble";
    const state = make("span", { class: bad ? "bad" : "hint" }, bad && icon("trouble"), make("span", {}, ...stateOf(each)));
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, name, state),
      cell(fps ? figure(fps, fps < 10 ? 1 : 0) : "–", true),
      cell(bits ? flow(bits) : "–", true),
      cell(share === null ? "–" : percent(share)),
    );
  });
  const head = heads(say.system.camera, [say.system.rate, true], [say.system.data, true], [say.system.day, false]);
  return make("table", { class: "figures" }, head, make("tbody", {}, ...rows));
}

/** @param {number} bits a second */
function flow(bits) {
  return bits < 1e6 ? `${figure(bits / 1000)} kbit/s` : `${figure(bits / 1e6, 1)} Mbit/s`;
}

/** @param {CameraHealth & {says: import("./words.js").Saying}} camera @returns {import("./dom.js").Child[]} */
function stateOf({ says, since_us: since, recording, drops, clock_offset_s: offset }) {
  const word = recording ? `${says.word}, ${say.system.recorded}` : says.word;
  const more = [
    says.tone === "trouble" && says.told,
    drops > 0 && say.system.drops(drops),
    offset !== null && Math.abs(offset) > CLOCK_S && say.system.clock(lasted(Math.abs(offset) * 1e6), offset > 0),
  ].filter(Boolean);
  const time = since === null || says === RESTS ? [] : [` ${say.system.since} `, make("span", { class: "time" }, moment(since, now() * 1000, locale, false))];
  return [word, ...time, ...more.map((each) => ` · ${each}`)];
}

/** @param {ServiceHealth} service @param {System} system */
function figures(service, { versions, archive, started_us: started }) {
  const { memory_bytes: memory, disk_free_bytes: free, longest_pause_s: pause, backlog_bytes: backlog } = service;
  /** @type {(string | false)[][]} */
  const all = [
    [say.system.version, `camkeep ${service.version}`, `Python ${versions.python}, SQLite ${versions.sqlite}, ${versions.system}`],
    [say.system.runs, lasted(service.uptime_s * 1e6), `${say.system.since} ${moment(started, now() * 1000, locale, false)}`],
    [say.system.memory, memory === null ? "–" : sized(memory)],
    [say.system.pause, `${figure(pause * 1000)} ms`, pause > 0.2 ? say.system.pauseBad : say.system.pauseGood],
    [say.system.backlog, sized(backlog), say.system.backlogTold],
    [say.system.database, service.problems.length ? say.system.seeAbove : say.system.answers],
    [say.system.free, free === null ? "–" : sized(free), archive],
  ];
  const rows = all.map(([name, value, told]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, make("span", { class: "time" }, value), make("span", { class: "hint" }, told))),
  );
  return make("dl", { class: "values" }, ...rows);
}

customElements.define("camkeep-health", Health);
