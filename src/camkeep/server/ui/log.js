// @ts-check
/** `<camkeep-log>`: the newest lines of the log, as they come. */

import { call, now } from "./api.js";
import { copied } from "./copy.js";
import { make } from "./dom.js";
import { choice } from "./forms.js";
import { button } from "./rows.js";
import { say } from "./say-more.js";
import { locale } from "./say.js";
import { Section } from "./section.js";
import { moment } from "./timescale.js";
import { tell } from "./toast.js";

/** @typedef {"debug" | "info" | "warning" | "error"} Level */
/** @typedef {{id: number, time_us: number, level: Level | "critical", logger: string, told: string, trace: string}} Line */

const MOST = 500;
const LEVELS = /** @type {Level[]} */ (["debug", "info", "warning", "error"]);

class Log extends Section {
  /** @override */
  every = 2000;
  /** @type {Line[]} */
  #lines = [];
  /** @type {number | null} */
  #last = null;
  #level = choice(say.system.level, "level", LEVELS.map((each) => [each, say.system.levels[each]]));
  #list = make("div", { class: "lines", role: "log", "aria-live": "off", tabindex: 0, "aria-label": say.system.log });

  /** @override */
  frame() {
    this.body.replaceChildren(); // the place of the lines is kept: nothing moves it
    const select = /** @type {HTMLSelectElement} */ (this.#level.querySelector("select"));
    select.value = "info";
    select.addEventListener("change", () => this.#anew());
    return { title: say.system.log, head: [make("div", { class: "filters" }, this.#level, button(say.people.copy, say.system.log, () => this.#copy()))], foot: [this.#list] };
  }

  #anew() {
    this.#last = null;
    void this.look();
  }

  /** @override */
  async load() {
    const [after, { value }] = [this.#last, /** @type {HTMLSelectElement} */ (this.#level.querySelector("select"))];
    const { records, last } = await call("GET", `/logs?limit=${MOST}&level=${value}${after === null ? "" : `&after=${after}`}`);
    if (after !== this.#last) return [];
    const again = after === null || last < after; // or it begins anew with the service
    this.#last = again && after !== null ? null : last;
    if (again || records.length) this.#show(again ? records : [...this.#lines, ...records].slice(-MOST), again);
    return [];
  }

  /** It follows, unless somebody reads what was before. @param {Line[]} lines @param {boolean} anew */
  #show(lines, anew) {
    this.#lines = lines;
    const { scrollTop, scrollHeight, clientHeight } = this.#list;
    const follows = anew || scrollTop + clientHeight > scrollHeight - 40;
    const shown = lines.map((each) =>
      make("p", { class: each.level }, make("span", { class: "time" }, time(each)), make("span", {}, `${each.told}${each.trace && `\n${each.trace}`}`)),
    );
    this.#list.replaceChildren(...(shown.length ? shown : [make("p", {}, say.system.noLine)]));
    if (follows) this.#list.scrollTop = this.#list.scrollHeight;
  }

  async #copy() {
    const field = make("textarea", { class: "sr", readonly: true, "aria-label": say.system.log });
    field.value = this.#lines.map((each) => `${new Date(each.time_us / 1000).toISOString()} ${each.level} ${each.logger}: ${each.told}${each.trace && `\n${each.trace}`}`).join("\n");
    document.body.append(field);
    const done = await copied(field);
    field.remove();
    tell(done ? say.people.copied : say.system.notCopied, { trouble: !done });
  }
}

/** @param {Line} line */
function time({ time_us: us }) {
  return moment(us, now() * 1000, locale);
}

customElements.define("camkeep-log", Log);
