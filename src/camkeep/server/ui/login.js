// @ts-check
/** `<camkeep-login>` and `<camkeep-setup>`: log in, and make the first account. */

import { api } from "./api.js";
import { make } from "./dom.js";
import { attempt, complaint, field, passwordField, typed } from "./forms.js";
import { recorder } from "./recorder.js";
import { say } from "./say.js";

class Login extends HTMLElement {
  connectedCallback() {
    const told = complaint();
    const form = make(
      "form",
      {},
      field(say.login.name, {
        name: "name",
        autocomplete: "username",
        autocapitalize: "none",
        required: true,
        spellcheck: "false",
      }),
      passwordField({ autocomplete: "current-password", required: true }),
      told,
      make("button", { class: "primary" }, say.login.login),
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const { name = "", password = "" } = typed(form);
      const well = await attempt(form, told, async () =>
        recorder.became(await api.login({ name, password })),
      );
      if (!well) form.querySelector("input")?.form?.password.select();
    });
    const title = make("h1", { class: "sr" }, say.login.login);
    this.replaceChildren(make("section", { class: "sheet small" }, brand(), title, form));
    form.querySelector("input")?.focus();
  }
}

class Setup extends HTMLElement {
  connectedCallback() {
    this.replaceChildren(
      make(
        "section",
        { class: "sheet small" },
        brand(),
        make("h1", {}, say.login.first),
        make("p", { class: "quiet" }, say.login.firstTold),
        accountForm(recorder.me?.code_wanted ?? false),
      ),
    );
    this.querySelector("input")?.focus();
  }
}

/**
 * A form that makes the first account.
 *
 * @param {boolean} code whether the code from the console is needed
 */
export function accountForm(code) {
  const told = complaint();
  const once = field(
    say.login.code,
    {
      name: "code",
      autocomplete: "one-time-code",
      autocapitalize: "characters",
      required: true,
      spellcheck: "false",
      placeholder: "ABCD-EFGH-JKLM",
    },
    say.login.codeTold,
  );
  const form = make(
    "form",
    {},
    code && once,
    field(say.login.name, {
      name: "name",
      autocomplete: "username",
      autocapitalize: "none",
      required: true,
      spellcheck: "false",
    }),
    passwordField(
      { autocomplete: "new-password", required: true },
      say.login.passwordTold,
    ),
    told,
    make("button", { class: "primary" }, say.login.make),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { name = "", password = "", ...rest } = typed(form);
    void attempt(form, told, async () =>
      recorder.became(await api.setup({ name, password, ...rest })),
    );
  });
  return form;
}

/** What this is. */
export function brand() {
  const mark = make("img", {
    src: new URL("./mark.svg", import.meta.url).pathname,
    alt: "",
    width: 32,
    height: 32,
  });
  return make("p", { class: "brand" }, mark, "camkeep");
}

customElements.define("camkeep-login", Login);
customElements.define("camkeep-setup", Setup);
