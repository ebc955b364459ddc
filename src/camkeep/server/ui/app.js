// @ts-check
/**
 * `<camkeep-app>`: the whole page. It decides what is seen: the login, the first camera, or the
 * places of the rail; and says when the recorder is away.
 */

import { icon, make, write } from "./dom.js";
import { address, place } from "./place.js";
import { recorder } from "./recorder.js";
import "./account.js";
import "./cameras.js";
import "./login.js";
import "./wall.js";

const CALM_MS = 3000;

class App extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #main = make("main", { tabindex: "-1" });
  #rail = make("nav", { "aria-label": "Places" });
  #away = make("div", { class: "away", role: "status" });
  #awayTold = make("span");
  #awayCount = make("span", { class: "time", "aria-hidden": "true" });
  /** What is in `main`: another one is made only when it changes. */
  #seen = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #calm;

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    const again = make("button", { type: "button", onclick: () => recorder.again() }, "Try now");
    this.#away.append(icon("trouble"), this.#awayTold, this.#awayCount, again);
    this.#away.hidden = true;
    this.append(this.#rail, this.#main, this.#away);
    recorder.addEventListener("change", () => this.#update(), { signal });
    addEventListener("hashchange", () => this.#update(), { signal });
    for (const name of ["pointermove", "pointerdown", "keydown", "focusin"]) {
      addEventListener(name, () => this.#stir(), { signal, passive: true });
    }
    const tick = setInterval(() => this.#tellAway(), 1000);
    signal.addEventListener("abort", () => clearInterval(tick));
    this.#stir();
    recorder.start();
  }

  disconnectedCallback() {
    this.#life?.abort();
    recorder.stop();
  }

  #update() {
    this.#tellAway();
    const seen = this.#what();
    const shell = ["watch", "add", "account"].includes(seen);
    this.#rail.hidden = !shell;
    if (shell) this.#fillRail(seen);
    if (seen !== this.#seen) this.#show(seen);
  }

  /** What is to be seen now. @returns {string} */
  #what() {
    const { me, cameras } = recorder;
    if (!me) return "nothing";
    if (!me.user) return me.accounts ? "login" : "setup";
    const { view } = place();
    if (view === "account") return "account";
    if (cameras && !cameras.length) return recorder.may("admin") ? "first" : "none";
    return view === "add" && recorder.may("admin") ? "add" : "watch";
  }

  /** @param {string} seen */
  #show(seen) {
    const moved = this.#seen !== "" && this.#seen !== "nothing";
    this.#seen = seen;
    this.setAttribute("seen", seen);
    this.#main.replaceChildren(...content(seen));
    if (moved && !this.#main.contains(document.activeElement)) this.#main.focus();
  }

  /** @param {string} seen */
  #fillRail(seen) {
    const places = recorder.may("admin") ? ["watch", "add", "account"] : ["watch", "account"];
    const links = places.map((view) => {
      const to = /** @type {import("./place.js").View} */ (view);
      const word = { watch: "Watch", add: "Add", account: "Account" }[to];
      const current = view === seen && !place().camera;
      return make(
        "a",
        { href: address({ view: to }), "aria-current": current && "page", class: view },
        icon(view),
        word,
      );
    });
    const key = places.join() + seen + place().camera;
    if (this.#rail.dataset.key === key) return;
    const focused = [...this.#rail.children].findIndex((link) => link === document.activeElement);
    this.#rail.dataset.key = key;
    this.#rail.replaceChildren(...links);
    links[focused]?.focus();
  }

  #tellAway() {
    const { away } = recorder;
    this.#away.hidden = away === null;
    this.toggleAttribute("away", away !== null);
    if (!away) return;
    const seconds = Math.ceil((away.retryAt - Date.now()) / 1000);
    write(this.#awayTold, "The recorder does not answer.");
    write(this.#awayCount, seconds > 0 ? `Next try in ${seconds} s` : "Trying");
  }

  /** Somebody is there: controls are shown until nothing has moved for a while. */
  #stir() {
    this.removeAttribute("calm");
    clearTimeout(this.#calm);
    this.#calm = setTimeout(() => this.setAttribute("calm", ""), CALM_MS);
  }
}

/** @param {string} seen @returns {Node[]} */
function content(seen) {
  switch (seen) {
    case "nothing":
      return [];
    case "login":
      return [make("camkeep-login")];
    case "setup":
      return [make("camkeep-setup")];
    case "first":
    case "add":
      return [make("camkeep-cameras")];
    case "none":
      return [
        make(
          "section",
          { class: "sheet" },
          make("h1", {}, "No camera yet"),
          make("p", {}, "No camera was granted to you. Ask an administrator of this recorder."),
          make("p", {}, make("a", { href: address({ view: "account" }) }, "Your account")),
        ),
      ];
    case "account":
      return [make("camkeep-account")];
    default:
      return [make("camkeep-wall")];
  }
}

customElements.define("camkeep-app", App);
