// @ts-check
/** `<camkeep-account>`: who somebody is; log out, or make the first account. */

import { api } from "./api.js";
import { make } from "./dom.js";
import { attempt, complaint } from "./forms.js";
import { accountForm } from "./login.js";
import { go } from "./place.js";
import { recorder } from "./recorder.js";

const ROLES = {
  viewer: "You see the cameras that were granted to you.",
  operator: "You see the cameras that were granted to you, and may record.",
  admin: "You may do everything here.",
};

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
    this.replaceChildren(
      make(
        "section",
        { class: "sheet small" },
        make("h1", {}, here ? "This machine" : user.name),
        make(
          "p",
          { class: "quiet" },
          here
            ? "Nobody has an account yet. Whoever uses this machine may do everything here; from elsewhere nobody gets in. Make an account to change that."
            : ROLES[user.role],
        ),
        here ? accountForm(recorder.me?.code_wanted ?? false) : logOut(),
      ),
    );
  }
}

function logOut() {
  const told = complaint();
  const button = make("button", { type: "button" }, "Log out");
  const whole = make("div", {}, told, button);
  button.addEventListener("click", () => {
    void attempt(whole, told, async () => {
      await api.logout();
      recorder.became({ user: null, accounts: true, code_wanted: false });
      go({});
    });
  });
  return whole;
}

customElements.define("camkeep-account", Account);
