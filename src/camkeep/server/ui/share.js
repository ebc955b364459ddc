// @ts-check
/** A link to one clip for people without an account: how long it holds, which there are, taking one back. */

import { accounts } from "./accounts.js";
import { call, now } from "./api.js";
import { copyable } from "./copy.js";
import { make } from "./dom.js";
import { attempt, choice, complaint, field } from "./forms.js";
import { List, at, button, row } from "./rows.js";
import { say } from "./say-more.js";
import { tell } from "./toast.js";

/** @typedef {import("./clipfind.js").Clip} Clip */

const HOUR_US = 3600e6;
/** Hours until a link ends. */
const ENDS = [1, 24, 168, 720];
const USUAL = "168";

/** @param {Clip} clip */
export function share(clip) {
  const list = links(clip);
  void list.fill();
  pane(say.clips.shareOf(clip.name), form(clip, () => list.fill()), list.element);
}

/** Something in front of the page, until it is closed. @param {string} title @param {...Node} content */
export function pane(title, ...content) {
  const dialog = make(
    "dialog",
    { class: "pane", "aria-labelledby": "pane" },
    make("h1", { id: "pane" }, title),
    ...content,
    make("form", { method: "dialog", class: "buttons" }, make("button", {}, say.keys.close)),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {Clip} clip @param {() => Promise<void>} made what to do when there is another one */
function form({ id }, made) {
  const told = complaint();
  const once = make("div");
  const ends = choice(say.clips.until, "hours", ENDS.map((hours, n) => [String(hours), say.clips.ends[n]]));
  /** @type {HTMLSelectElement} */ (ends.querySelector("select")).value = USUAL;
  const whole = make(
    "form",
    {},
    make("p", { class: "quiet" }, say.clips.shareTold),
    make("div", { class: "pair" }, field(say.clips.whom, { name: "whom", maxlength: 60, autocomplete: "off" }), ends),
    told,
    make("div", { class: "buttons" }, make("button", { class: "primary" }, say.clips.makeLink)),
    once,
  );
  whole.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = new FormData(whole);
    void attempt(whole, told, async () => {
      const expires = Math.round(now() * 1000 + Number(given.get("hours")) * HOUR_US);
      const name = String(given.get("whom")).trim();
      const { secret } = await call("POST", "/shares", { clip: id, name, expires });
      const hint = /^(localhost|127\.|\[::1)/.test(location.hostname) ? say.clips.onlyHere : say.people.onceTold;
      once.replaceChildren(copyable(say.clips.link, `${location.origin}/#shared=${secret}`, hint));
      once.querySelector("input")?.focus();
      await made();
    });
  });
  return whole;
}

/** @param {Clip} clip */
function links({ id }) {
  const list = new List(say.clips.links, say.clips.noLinks, async () => {
    /** @type {import("./accounts.js").Share[]} */
    const found = (await call("GET", `/shares?clip=${encodeURIComponent(id)}`)).shares;
    return found.filter(({ over }) => !over).reverse().map((each) => {
      const told = [each.name && each.user_name, at(say.people.ends, each.expires_us)];
      return row(each.name || each.user_name || say.clips.link, told, button(say.people.revoke, each.name || say.clips.link, async () => {
        await accounts.takeBack(each.id);
        tell(say.clips.takenBack);
        await list.fill();
      }));
    });
  });
  return list;
}
