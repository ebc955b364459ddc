// @ts-check
/** Who did what, the newest first. */

import { PAGE, accounts } from "./accounts.js";
import { make } from "./dom.js";
import { recorder } from "./recorder.js";
import { List, button, row, when } from "./rows.js";
import { say } from "./say-more.js";

/** @typedef {import("./accounts.js").Entry} Entry */

/** @param {() => import("./accounts.js").User[]} users who there is, for their names */
export function audit(users) {
  /** @type {Entry[]} */
  let known = [];
  const next = async () => {
    const found = await accounts.audit(known.at(-1)?.id ?? null);
    known = [...known, ...found];
    more.hidden = found.length < PAGE;
    return known.map((each) => row(said(each, users()), [each.who, each.address], when(each.wall_us)));
  };
  const more = button(say.people.more, "", () => list.fill());
  more.hidden = true;
  const list = new List(say.people.audit, say.people.noAudit, next, make("div", { class: "buttons" }, more));
  list.element.classList.add("audit");
  return list;
}

/** In plain words: "User changed: anna". @param {Entry} entry @param {import("./accounts.js").User[]} users */
function said({ action, object, detail }, users) {
  /** @type {Record<string, string>} */
  const { [action]: whole } = say.people.did;
  const [what, done] = action.split(".");
  /** @type {Record<string, string>[]} */
  const [things, ways] = [say.people.things, say.people.done];
  const id = detail.camera ?? object;
  const all = [...(recorder.cameras ?? []), ...users];
  const name = detail.name || all.find((each) => each.id === id)?.name;
  const did = whole ?? (things[what] && ways[done] ? `${things[what]} ${ways[done]}` : action);
  return name ? `${did}: ${name}` : did;
}
