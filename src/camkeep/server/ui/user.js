// @ts-check
/** A form for one user: a new one, or one to be changed. */

import { accounts } from "./accounts.js";
import { copyable } from "./copy.js";
import { make } from "./dom.js";
import { attempt, complaint, field, passwordField, pick } from "./forms.js";
import { recorder } from "./recorder.js";
import { say } from "./say-more.js";
import { tell } from "./toast.js";

/** @typedef {import("./accounts.js").User} User */
/** @typedef {import("./accounts.js").Role} Role */

const ROLES = /** @type {Role[]} */ (["viewer", "operator", "admin"]);
/** Without those that look alike. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";

/** A password that nobody guesses: 80 bits, in groups that can be read out. */
function invented() {
  const pairs = crypto.getRandomValues(new Uint32Array(16));
  const letters = [...pairs].map((each) => LETTERS[each % LETTERS.length]).join("");
  return letters.replace(/.{4}(?=.)/g, "$&-");
}

/**
 * @param {User | null} user null for a new one
 * @param {(made: Node | null) => unknown} done what to do then; with what is to be shown, if anything
 */
export function userForm(user, done) {
  const own = user !== null && user.id === recorder.me?.user?.id;
  const told = complaint();
  const cameras = grants(user?.cameras ?? null);
  const form = make(
    "form",
    { class: "boxed" },
    make("h3", {}, user ? user.name : say.people.addUser),
    field(say.login.name, { name: "name", required: true, maxlength: 64, autocomplete: "off", autocapitalize: "none", spellcheck: "false", value: user?.name }),
    !own && secret(user !== null),
    make("fieldset", {}, make("legend", {}, say.people.role), ...ROLES.map((role) =>
      pick("radio", "role", role, say.people.roles[role], role === (user?.role ?? "viewer")))),
    cameras,
    user && !own && pick("checkbox", "disabled", "yes", say.people.locked, user.disabled),
    user && make("p", { class: "hint" }, own ? say.people.ownTold : say.people.endsTold),
    told,
    make("div", { class: "buttons" },
      make("button", { class: "primary" }, user ? say.people.save : say.people.add),
      make("button", { type: "button", onclick: () => done(null) }, say.app.cancel)),
  );
  const settle = () => (cameras.hidden = new FormData(form).get("role") === "admin");
  form.addEventListener("change", settle);
  settle();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wish = wished(form, user !== null && !own);
    void attempt(form, told, async () => {
      const made = await (user ? accounts.change(user.id, wish) : accounts.add(wish));
      tell(user ? say.people.saved(made.name) : say.people.added(made.name));
      const shown = wish.password && form.dataset.invented === wish.password;
      done(shown ? copyable(say.people.passwordOf(made.name), wish.password ?? "", say.people.onceTold) : null);
    });
  });
  return form;
}

/** @param {HTMLFormElement} form @param {boolean} lock whether they can be locked out */
function wished(form, lock) {
  const given = new FormData(form);
  /** @type {import("./accounts.js").UserWish} */
  const wish = {
    name: String(given.get("name")).trim(),
    role: /** @type {Role} */ (given.get("role")),
    cameras: given.get("which") === "all" ? null : given.getAll("camera").map(String),
  };
  if (given.get("password")) wish.password = String(given.get("password"));
  if (lock) wish.disabled = given.has("disabled");
  return wish;
}

/** @param {boolean} another whether there is one already */
function secret(another) {
  const label = another ? say.people.newPassword : say.login.password;
  const hint = another ? say.people.staysTold : say.login.passwordTold;
  const whole = passwordField({ autocomplete: "new-password", required: !another, minlength: 8 }, hint, label);
  const input = /** @type {HTMLInputElement} */ (whole.querySelector("input"));
  const invent = make("button", { type: "button" }, say.people.invent);
  invent.addEventListener("click", () => {
    input.value = invented();
    if (input.form) input.form.dataset.invented = input.value;
    if (input.type === "password") whole.querySelector("button")?.click();
  });
  return make("div", { class: "with" }, whole, invent);
}

/** Which cameras somebody sees. @param {string[] | null} granted */
function grants(granted) {
  const known = recorder.cameras ?? [];
  const gone = (granted ?? []).filter((id) => !known.some((each) => each.id === id));
  const list = make(
    "div",
    { class: "chosen", hidden: granted === null },
    ...known.map((each) => pick("checkbox", "camera", each.id, [each.name, ""], granted?.includes(each.id) ?? false)),
    ...gone.map((id) => make("input", { type: "hidden", name: "camera", value: id })),
    !known.length && make("p", { class: "hint" }, say.app.noCamera),
  );
  const whole = make(
    "fieldset",
    {},
    make("legend", {}, say.people.cameras),
    pick("radio", "which", "all", say.people.allCameras, granted === null),
    pick("radio", "which", "some", say.people.someCameras, granted !== null),
    list,
  );
  whole.addEventListener("change", (event) => {
    const { name, value } = /** @type {HTMLInputElement} */ (event.target);
    if (name === "which") list.hidden = value === "all";
  });
  return whole;
}
