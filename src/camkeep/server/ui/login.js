// @ts-check
/** `<camkeep-login>` and `<camkeep-setup>`: log in, and make the first account. */

import { api } from "./api.js";
import { make } from "./dom.js";
import { attempt, complaint, field, passwordField, typed } from "./forms.js";
import { recorder } from "./recorder.js";

class Login extends HTMLElement {
  connectedCallback() {
    const told = complaint();
    const form = make(
      "form",
      {},
      field("Name", {
        name: "name",
        autocomplete: "username",
        autocapitalize: "none",
        required: true,
        spellcheck: "false",
      }),
      passwordField({ autocomplete: "current-password", required: true }),
      told,
      make("button", { class: "primary" }, "Log in"),
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const { name = "", password = "" } = typed(form);
      const well = await attempt(form, told, async () =>
        recorder.became(await api.login({ name, password })),
      );
      if (!well) form.querySelector("input")?.form?.password.select();
    });
    this.replaceChildren(make("section", { class: "sheet small" }, brand(), form));
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
        make("h1", {}, "The first account"),
        make("p", { class: "quiet" }, "It is an administrator's: it may do everything here."),
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
    "Code",
    {
      name: "code",
      autocomplete: "one-time-code",
      autocapitalize: "characters",
      required: true,
      spellcheck: "false",
      placeholder: "ABCD-EFGH-JKLM",
    },
    "It stands on the console where camkeep serve runs.",
  );
  const form = make(
    "form",
    {},
    code && once,
    field("Name", {
      name: "name",
      autocomplete: "username",
      autocapitalize: "none",
      required: true,
      spellcheck: "false",
    }),
    passwordField(
      { autocomplete: "new-password", required: true },
      "Several words that only you put together are best.",
    ),
    told,
    make("button", { class: "primary" }, "Make the account"),
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
