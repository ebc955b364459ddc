// @ts-check
/**
 * `<camkeep-app>`: the whole page. It decides what is seen: the login, the first camera, or the
 * places of the rail; and says when the recorder is away.
 */

import { icon, make, write } from "./dom.js";
import { keys } from "./keys.js";
import { VIEWS, address, place } from "./place.js";
import { recorder } from "./recorder.js";
import { say } from "./say.js";
import { styled } from "./style.js";
import { tell, toasts } from "./toast.js";
import "./watch.js";

/** @typedef {import("./place.js").View} View */

const CALM_MS = 3000;

/** Fetched when somebody goes there. @type {Record<string, () => Promise<unknown>>} */
const LATER = {
  login: () => import("./login.js"),
  setup: () => import("./login.js"),
  clips: () => import("./clips.js"),
  cameras: () => import("./cameras.js"),
  system: () => import("./system.js"),
  account: () => import("./account.js"),
  shared: () => import("./shared.js"),
};

/** Of all these: what is filled in, and lists. */
const STYLES = ["./people.css", "./cameras.css"];

class App extends HTMLElement {
  /** @type {AbortController | null} */
  #life = null;
  #main = make("main", { tabindex: "-1" });
  #rail = make("nav", { "aria-label": say.app.places });
  #away = make("div", { class: "away", role: "status" });
  #awayTold = make("span");
  #awayCount = make("span", { class: "time", "aria-hidden": "true" });
  /** What is in `main`: another one is made only when it changes. */
  #seen = "";
  #newer = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #calm;

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    const again = make("button", { type: "button" }, say.app.tryNow);
    again.addEventListener("click", () => recorder.again());
    this.#away.append(icon("trouble"), this.#awayTold, this.#awayCount, again);
    this.#away.hidden = true;
    this.append(this.#rail, this.#main, this.#away);
    toasts();
    recorder.addEventListener("change", () => this.#update(), { signal });
    addEventListener("hashchange", () => this.#update(), { signal });
    for (const name of ["pointermove", "pointerdown", "keydown", "focusin"]) {
      addEventListener(name, () => this.#stir(), { signal, passive: true });
    }
    keys({ "?": () => void told() }, signal);
    const tick = setInterval(() => this.#tellAway(), 1000);
    signal.addEventListener("abort", () => clearInterval(tick));
    this.#stir();
    if (place().shared) this.#update(); // that waits for nobody
    recorder.start();
  }

  disconnectedCallback() {
    this.#life?.abort();
    recorder.stop();
  }

  #update() {
    this.#tellAway();
    this.#tellNewer();
    const seen = this.#what();
    const shell = VIEWS.some((view) => view === seen);
    this.#rail.hidden = !shell && seen !== "none";
    if (!this.#rail.hidden) this.#fillRail(place().view);
    if (seen !== this.#seen) void this.#show(seen);
  }

  /** What is to be seen now. @returns {string} */
  #what() {
    const { me, cameras } = recorder;
    if (place().shared) return "shared";
    if (!me) return "nothing";
    if (!me.user) return me.accounts ? "login" : "setup";
    const { view } = place();
    const empty = cameras && !cameras.length;
    if (empty && view === "watch") return recorder.may("admin") ? "first" : "none";
    return view === "cameras" && !recorder.may("admin") ? "watch" : view;
  }

  /** @param {string} seen */
  async #show(seen) {
    const moved = this.#seen !== "" && this.#seen !== "nothing";
    this.#seen = seen;
    this.setAttribute("seen", seen);
    try {
      await fetched(seen === "first" ? "cameras" : seen);
    } catch {
      if (this.#seen === seen) this.#main.replaceChildren(broken());
      this.#seen = "";
      return;
    }
    if (this.#seen !== seen) return;
    this.#main.replaceChildren(...content(seen));
    if (moved && !this.#main.contains(document.activeElement)) this.#main.focus();
  }

  /** @param {View} current */
  #fillRail(current) {
    const views = VIEWS.filter((view) => view !== "cameras" || recorder.may("admin"));
    const key = views.join() + current + place().camera;
    if (this.#rail.dataset.key === key) return;
    const focused = [...this.#rail.children].findIndex((link) => link === document.activeElement);
    this.#rail.dataset.key = key;
    const links = views.map((view) => {
      const now = view === current && !place().camera;
      const where = { href: address({ view }), "aria-current": now && "page", class: view };
      return make("a", where, icon(view), say.app[view]);
    });
    this.#rail.replaceChildren(...links);
    links[focused]?.focus();
  }

  #tellAway() {
    const { away } = recorder;
    this.#away.hidden = away === null;
    this.toggleAttribute("away", away !== null);
    if (!away) return;
    const seconds = Math.ceil((away.retryAt - Date.now()) / 1000);
    write(this.#awayTold, say.app.away);
    write(this.#awayCount, seconds > 0 ? say.app.nextTry(seconds) : say.app.trying);
  }

  /** Once: the recorder brought another page when it came back. */
  #tellNewer() {
    if (!recorder.newer || this.#newer) return;
    this.#newer = true;
    const reload = { word: say.app.reload, do: () => location.reload() };
    tell(say.app.newer, { action: reload });
  }

  /** Somebody is there: controls are shown until nothing has moved for a while. */
  #stir() {
    this.removeAttribute("calm");
    clearTimeout(this.#calm);
    this.#calm = setTimeout(() => this.setAttribute("calm", ""), CALM_MS);
  }
}

/** Which keys there are. */
async function told() {
  try {
    (await import("./sheet.js")).sheet();
  } catch {
    tell(say.app.failed, { trouble: true });
  }
}

/** All that a place needs, where it came not with the page. @param {string} place */
function fetched(place) {
  const later = LATER[place];
  if (!later) return;
  const styles = STYLES.map((name) => styled(new URL(name, import.meta.url).pathname));
  return Promise.all([...styles, later()]);
}

/** @param {string} seen @returns {Node[]} */
function content(seen) {
  switch (seen) {
    case "nothing":
      return [];
    case "first":
      return [make("camkeep-cameras")];
    case "none":
      return [none()];
    default:
      return [document.createElement(`camkeep-${seen}`)];
  }
}

function none() {
  const account = make("a", { href: address({ view: "account" }) }, say.app.yourAccount);
  return make(
    "section",
    { class: "sheet" },
    make("h1", {}, say.app.noCamera),
    make("p", {}, say.app.noCameraTold),
    make("p", {}, account),
  );
}

/** A part of the page that could not be fetched: another version is there, or nobody answers. */
function broken() {
  const again = make("button", { type: "button" }, say.app.reload);
  again.addEventListener("click", () => location.reload());
  return make("section", { class: "sheet" }, make("h1", {}, say.app.failed), make("p", {}, again));
}

customElements.define("camkeep-app", App);
