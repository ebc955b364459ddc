// @ts-check
/** `<camkeep-account>`: who somebody is, their password, where they are logged in, their tokens. */

import { accounts } from "./accounts.js";
import { api } from "./api.js";
import { make } from "./dom.js";
import { attempt, complaint, passwordField, pick } from "./forms.js";
import { accountForm } from "./login.js";
import { sessions, tokens } from "./logins.js";
import { go } from "./place.js";
import { recorder } from "./recorder.js";
import { filled } from "./rows.js";
import { say } from "./say-more.js";
import { KEPT_AS, LANGUAGES } from "./say.js";
import { tell } from "./toast.js";

class Account extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #known = "";

  connectedCallback() {
    this.#life = new AbortController();
    recorder.addEventListener("change", () => this.#fill(), { signal: this.#life.signal });
    this.#fill();
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  #fill() {
    const user = recorder.me?.user;
    const known = JSON.stringify(user);
    if (!user || known === this.#known) return;
    this.#known = known;
    const here = user.how === "loopback";
    const logged = user.how === "session";
    this.replaceChildren(
      make(
        "div",
        { class: "sheet people" },
        make(
          "section",
          {},
          make("h1", {}, here ? say.people.here : user.name),
          make("p", { class: "quiet" }, here ? say.people.hereTold : say.people[user.role]),
          here ? make("div", { class: "narrow" }, accountForm(recorder.me?.code_wanted ?? false)) : logOut(),
        ),
        logged && passwordForm(user.name),
        !logged && languages(),
        !logged && documentation(),
      ),
    );
    if (logged) void this.#more(known);
  }

  /** @param {string} known whose they are */
  async #more(known) {
    const lists = await filled(sessions(false), tokens(false));
    if (known === this.#known) this.firstElementChild?.append(...lists, languages(), documentation());
  }
}

function logOut() {
  const told = complaint();
  const button = make("button", { type: "button" }, say.people.logout);
  const whole = make("div", { class: "buttons" }, button, told);
  button.addEventListener("click", () => {
    void attempt(whole, told, async () => {
      await api.logout();
      recorder.became({ user: null, accounts: true, code_wanted: false });
      go({});
    });
  });
  return whole;
}

/** @param {string} name for what keeps passwords: it must know whose it is */
function passwordForm(name) {
  const told = complaint();
  const form = make(
    "form",
    {},
    make("input", { type: "text", name: "username", autocomplete: "username", value: name, hidden: true }),
    passwordField({ name: "old-password", autocomplete: "current-password", required: true }, "", say.people.oldPassword),
    passwordField({ autocomplete: "new-password", required: true, minlength: 8 }, say.people.othersEndTold, say.people.newPassword),
    told,
    make("div", { class: "buttons" }, make("button", {}, say.people.changePassword)),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = new FormData(form);
    void attempt(form, told, async () => {
      await accounts.password(String(given.get("old-password")), String(given.get("password")));
      form.reset();
      tell(say.people.passwordChanged);
    });
  });
  return make("section", {}, make("h2", {}, say.people.changePassword), make("div", { class: "narrow" }, form));
}

/** Which language the page speaks: kept in this browser. */
function languages() {
  const kept = storage(() => localStorage.getItem(KEPT_AS)) ?? "";
  const all = Object.entries({ "": say.people.browsers, ...LANGUAGES });
  const group = make(
    "fieldset",
    { class: "line" },
    make("legend", { class: "sr" }, say.people.language),
    ...all.map(([value, word]) => pick("radio", "language", value, [word, ""], value === kept)),
  );
  group.addEventListener("change", (event) => {
    const { value } = /** @type {HTMLInputElement} */ (event.target);
    storage(() => (value ? localStorage.setItem(KEPT_AS, value) : localStorage.removeItem(KEPT_AS)));
    location.reload();
  });
  return make("section", {}, make("h2", {}, say.people.language), group);
}

/** A browser may keep nothing: then the page speaks its language. @template T @param {() => T} use */
function storage(use) {
  try {
    return use();
  } catch {
    return null;
  }
}

function documentation() {
  const link = make("a", { href: "/api/v1/openapi.json", target: "_blank", rel: "noopener" }, say.people.description);
  return make("section", {}, make("h2", {}, say.people.programs), make("p", { class: "quiet" }, say.people.programsTold), make("p", {}, link));
}

customElements.define("camkeep-account", Account);
