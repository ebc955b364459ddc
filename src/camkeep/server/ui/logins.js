// @ts-check
/** Where people are logged in, and their tokens: one's own, or everybody's. */

import { accounts, browserOf } from "./accounts.js";
import { now } from "./api.js";
import { copyable } from "./copy.js";
import { make } from "./dom.js";
import { attempt, choice, complaint, field } from "./forms.js";
import { recorder } from "./recorder.js";
import { List, at, button, row } from "./rows.js";
import { say } from "./say-more.js";
import { tell } from "./toast.js";

/** @typedef {import("./accounts.js").Role} Role */

const DAY_US = 86_400e6;
/** Days until a token ends; 0 for never. */
const ENDS = [30, 90, 365, 0];

/** @param {boolean} all of everybody */
export function sessions(all) {
  const list = new List(all ? say.people.allSessions : say.people.sessions, say.people.noSession, async () => {
    const found = (await accounts.sessions(all)).reverse();
    others.hidden = all || found.length < 2;
    return found.map((each) => {
      const browser = browserOf(each.agent);
      const told = [all && browser, each.address, each.current ? say.people.thisOne : at(say.people.used, each.used_us)];
      return row(all ? each.user_name : browser, told, !each.current && button(say.people.end, all ? each.user_name : browser, async () => {
        await accounts.end(each.id);
        await list.fill();
      }));
    });
  });
  const others = button(say.people.endOthers, "", async () => {
    await accounts.endOthers();
    tell(say.people.othersEnded);
    await list.fill();
  });
  others.hidden = true;
  list.element.append(make("div", { class: "buttons" }, others));
  return list;
}

/** @param {boolean} all of everybody */
export function tokens(all) {
  const list = new List(all ? say.people.allTokens : say.people.tokens, say.people.noToken, async () =>
    (await accounts.tokens(all)).reverse().map((each) => {
      const over = each.expires_us !== null && each.expires_us < now() * 1000;
      const ends = each.expires_us === null ? say.people.endless : at(over ? say.people.ended : say.people.ends, each.expires_us);
      const used = each.used_us ? at(say.people.used, each.used_us) : say.people.unused;
      return row(each.name, [all && each.user_name, say.people.roles[each.role][0], ends, used], button(say.people.revoke, each.name, async () => {
        await accounts.revoke(each.id);
        tell(say.people.revoked);
        await list.fill();
      }));
    }),
  );
  if (!all) list.element.append(tokenForm(() => list.fill()));
  return list;
}

/** @param {() => Promise<void>} made what to do when there is another one */
function tokenForm(made) {
  const told = complaint();
  const once = make("div");
  const mine = /** @type {Role[]} */ (["viewer", "operator", "admin"]).filter((role) => recorder.may(role));
  const form = make(
    "form",
    { class: "boxed" },
    field(say.people.tokenName, { name: "token", required: true, maxlength: 64, autocomplete: "off" }, say.people.tokenTold),
    make(
      "div",
      { class: "pair" },
      choice(say.people.role, "role", mine.map((role) => [role, say.people.roles[role][0]])),
      choice(say.people.until, "days", ENDS.map((days) => [String(days), days ? say.people.days(days) : say.people.never])),
    ),
    told,
    make("div", { class: "buttons" }, make("button", {}, say.people.makeToken)),
    once,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = new FormData(form);
    const days = Number(given.get("days"));
    void attempt(form, told, async () => {
      const name = String(given.get("token")).trim();
      const role = /** @type {Role} */ (given.get("role"));
      const expires = days ? Math.round(now() * 1000 + days * DAY_US) : null;
      const { token } = await accounts.makeToken({ name, role, expires });
      form.reset();
      once.replaceChildren(copyable(say.people.newToken, token, say.people.onceTold));
      once.querySelector("input")?.focus();
      await made();
    });
  });
  return form;
}
