// @ts-check
/** `<camkeep-people>`: for administrators: who may what, where they are logged in, who did what. */

import { accounts } from "./accounts.js";
import { audit } from "./audit.js";
import { ask } from "./dialog.js";
import { make } from "./dom.js";
import { accountForm } from "./login.js";
import { sessions, tokens } from "./logins.js";
import { recorder } from "./recorder.js";
import { List, at, button, filled, row } from "./rows.js";
import { say } from "./say-more.js";
import { tell } from "./toast.js";
import { userForm } from "./user.js";

/** @typedef {import("./accounts.js").User} User */

class People extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #known = "";
  /** @type {User[]} */
  #users = [];
  #form = make("div", { class: "one" });
  #list = new List(say.people.users, say.people.noUser, () => this.#rows(), this.#form);

  connectedCallback() {
    this.#life = new AbortController();
    recorder.addEventListener("change", () => this.#fill(), { signal: this.#life.signal });
    this.#fill();
  }

  disconnectedCallback() {
    this.#life?.abort();
  }

  #fill() {
    const known = JSON.stringify(recorder.me?.user);
    if (!recorder.may("admin") || known === this.#known) return;
    this.#known = known;
    if (recorder.me?.user?.how === "loopback") this.replaceChildren(nobody());
    else void this.#begin();
  }

  async #begin() {
    this.replaceChildren(this.#list.element);
    this.#close(null);
    await this.#list.fill();
    const known = this.#known;
    const lists = await filled(sessions(true), tokens(true), shares(), audit(() => this.#users));
    if (known === this.#known) this.append(...lists);
  }

  async #rows() {
    this.#users = await accounts.users();
    return this.#users.map((user) => {
      const told = [user.disabled && say.people.lockedOut, say.people.roles[user.role][0], this.#sees(user)];
      const own = user.id === recorder.me?.user?.id;
      return row(
        own ? `${user.name} (${say.people.you})` : user.name,
        told,
        button(say.people.change, user.name, () => this.#open(user)),
        button(say.people.remove, user.name, () => this.#remove(user)),
      );
    });
  }

  /** @param {User} user */
  #sees({ role, cameras }) {
    if (role === "admin") return "";
    if (cameras === null) return say.people.allCameras[0];
    const names = (recorder.cameras ?? []).flatMap(({ id, name }) => (cameras.includes(id) ? [name] : []));
    return names.length ? names.join(", ") : say.people.noCamera;
  }

  /** @param {User | null} user */
  #open(user) {
    const form = userForm(user, (shown) => {
      this.#close(shown);
      void this.#list.fill();
    });
    this.#form.replaceChildren(form);
    form.scrollIntoView({ block: "nearest" });
    form.querySelector("input")?.focus();
  }

  /** @param {Node | null} shown in place of the form */
  #close(shown) {
    const add = button(say.people.addUser, "", () => this.#open(null));
    const was = this.#form.contains(document.activeElement);
    this.#form.replaceChildren(...(shown ? [shown] : []), make("div", { class: "buttons" }, add));
    (this.#form.querySelector("input") ?? (was ? add : null))?.focus();
  }

  /** @param {User} user */
  async #remove(user) {
    const title = say.people.removeIt(user.name);
    if (!(await ask(title, [make("p", {}, say.people.removeTold)], { ok: say.people.remove, danger: true }))) return;
    await accounts.remove(user.id);
    tell(say.people.removed(user.name));
    if (user.id === recorder.me?.user?.id) recorder.again();
    else await this.#list.fill();
  }
}

function nobody() {
  const form = accountForm(recorder.me?.code_wanted ?? false);
  return make("section", { class: "narrow" }, make("h2", {}, say.login.first), make("p", { class: "quiet" }, say.people.hereTold), form);
}

function shares() {
  const list = new List(say.people.shares, say.people.noShare, async () =>
    (await accounts.shares()).filter((each) => !each.over).reverse().map((each) =>
      row(
        each.name || say.people.shareOf,
        [each.user_name, at(say.people.ends, each.expires_us), say.people.fetched(each.downloads)],
        button(say.people.takeBack, each.name || say.people.shareOf, async () => {
          await accounts.takeBack(each.id);
          tell(say.people.takenBack);
          await list.fill();
        }),
      ),
    ),
  );
  return list;
}

customElements.define("camkeep-people", People);
