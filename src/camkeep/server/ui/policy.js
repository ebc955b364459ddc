// @ts-check
/** How much is to be kept of all cameras together: a form. What it would delete is asked about first. */

import { call, now } from "./api.js";
import { ask } from "./dialog.js";
import { make } from "./dom.js";
import { attempt, complaint, field } from "./forms.js";
import { trying } from "./rows.js";
import { say } from "./say-more.js";
import { locale } from "./say.js";
import { tell } from "./toast.js";
import { sized } from "./words.js";

/** @typedef {import("./storage.js").Policy} Policy */
/** @typedef {import("./storage.js").Storage} Storage */

/** Of the fields: GB, days, GB. */
const UNITS = [1e9, 86_400, 1e9];

/**
 * What goes at once if that much is to be kept from now on: so many bytes, and all that is older.
 *
 * @param {Storage} storage
 * @param {Policy} wanted
 * @param {number} at
 * @returns {{bytes: number, before: number | null}}
 */
export function losses({ bytes, cameras, disk, policy }, wanted, at) {
  const quota = wanted.max_bytes !== (policy?.max_bytes ?? null) ? bytes - (wanted.max_bytes ?? Infinity) : 0;
  const spare = wanted.keep_free_bytes > (policy?.keep_free_bytes ?? 0) ? wanted.keep_free_bytes - (disk?.free_bytes ?? Infinity) : 0;
  const until = at - (wanted.max_age_s ?? Infinity) * 1e6;
  const older = wanted.max_age_s !== (policy?.max_age_s ?? null) && cameras.some(({ start_us: start }) => start !== null && start < until);
  return { bytes: Math.max(0, quota, spare), before: older ? until : null };
}

/**
 * @param {Policy} policy
 * @param {() => Storage | null} storage what is known at that moment
 * @param {() => unknown} saved
 */
export function policyForm(policy, storage, saved) {
  let known = policy;
  const number = { type: "number", inputmode: "decimal", step: "any", autocomplete: "off", placeholder: say.system.noLimit };
  const told = complaint();
  const fields = [
    field(say.system.most, { ...number, name: "most", min: 0.001, max: 9e6 }, say.system.mostTold),
    field(say.system.age, { ...number, name: "age", min: 0.01, max: 36_500 }, say.system.ageTold),
    field(say.system.spareGb, { ...number, name: "spare", min: 0, max: 9e6, placeholder: 0 }, say.system.spareTold),
  ];
  const save = make("button", {}, say.people.save);
  const form = make("form", {}, make("h2", {}, say.system.policy), make("div", { class: "three" }, ...fields), make("p", { class: "quiet" }, say.system.policyTold), told, make("div", { class: "buttons" }, save));
  const inputs = fields.map((each) => /** @type {HTMLInputElement} */ (each.querySelector("input")));
  const shown = () => [known.max_bytes, known.max_age_s, known.keep_free_bytes].map((each, n) => (each ? String(Number((each / UNITS[n]).toPrecision(4))) : ""));
  const fill = () => {
    for (const [n, value] of shown().entries()) inputs[n].value = value;
  };
  const wish = () => {
    const values = shown(); // what nobody touched stays exact
    const [most, age, spare] = inputs.map(({ value }, n) => (value === "" ? null : Math.round(Number(value) * UNITS[n])));
    return {
      max_bytes: inputs[0].value === values[0] ? known.max_bytes : most,
      max_age_s: inputs[1].value === values[1] ? known.max_age_s : age,
      keep_free_bytes: inputs[2].value === values[2] ? known.keep_free_bytes : (spare ?? 0),
    };
  };
  /** @param {Policy} wanted */
  const put = async (wanted) => {
    known = await call("PUT", "/storage/policy", wanted);
    fill();
    saved();
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [before, wanted] = [known, wish()];
    if (!(await mayGo(storage(), wanted))) return;
    const done = await attempt(form, told, () => put(wanted));
    if (done) tell(say.system.policySaved, { undo: () => trying(() => put(before)) });
  });
  fill();
  return form;
}

/** Whether nothing goes for it, or somebody knows and wants that. @param {Storage | null} storage @param {Policy} wanted */
function mayGo(storage, wanted) {
  if (!storage) return true;
  const { bytes, before } = losses(storage, wanted, now() * 1000);
  if (!bytes && before === null) return true;
  const day = before !== null && new Date(before / 1000).toLocaleString(locale, { dateStyle: "long", timeStyle: "short" });
  const lines = [bytes > 0 && say.system.goes(sized(bytes)), day && say.system.goesBefore(day), say.system.goesTold];
  return ask(say.system.lessTitle, lines.map((each) => each && make("p", {}, each)), { ok: say.system.less, danger: true });
}
