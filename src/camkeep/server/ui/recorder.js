// @ts-check
/**
 * What the page knows of the recorder: who is asking, which cameras there are, and whether the
 * recorder answers. It listens to the recorder's events while the page is seen, and comes back by
 * itself when the recorder was away. It tells of every change with a `change` event.
 */

import { Trouble, api } from "./api.js";

/** @typedef {import("./api.js").Me} Me */
/** @typedef {import("./api.js").Camera} Camera */
/** @typedef {{since: number, retryAt: number}} Away when it stopped to answer, and is asked next */

const WAITS_MS = [1000, 2000, 3000, 5000];
const GATHER_MS = 150;
/** Events come in bunches: cameras are asked for once after all of a bunch. */
const LEAST_MS = 2000;
/** Events are not asked for again sooner, whatever goes wrong with them. */

export class Recorder extends EventTarget {
  /** @type {Me | null} */
  me = null;
  /** @type {Camera[] | null} */
  cameras = null;
  /** @type {Away | null} */
  away = null;
  /** Whether the recorder has another version of this page. */
  newer = false;

  /** @type {EventSource | null} */
  #events = null;
  #turn = 0;
  #failures = 0;
  #life = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #gather;

  /** Begin: until `stop`. */
  start() {
    const { signal } = this.#life;
    document.addEventListener("visibilitychange", () => this.#look(), { signal });
    addEventListener("online", () => this.again(), { signal });
    this.#look();
  }

  stop() {
    this.#life.abort();
    this.#rest();
  }

  /** Whether this person's role is at least that one. @param {"viewer" | "operator" | "admin"} role */
  may(role) {
    const roles = ["viewer", "operator", "admin"];
    return roles.indexOf(this.me?.user?.role ?? "") >= roles.indexOf(role);
  }

  /** Ask anew, now. */
  again() {
    if (this.#life.signal.aborted || document.hidden) return;
    this.#rest();
    void this.#greet();
  }

  /** Somebody logged in or out. @param {Me} me */
  became(me) {
    this.me = me;
    this.cameras = null;
    this.#tell();
    this.again();
  }

  /** Something broke that comes from the recorder: look whether it is still there. */
  doubt() {
    if (this.away || document.hidden) return;
    clearTimeout(this.#gather);
    this.#gather = setTimeout(() => void this.refresh(), GATHER_MS);
  }

  /** Ask for the cameras; nothing changes where that fails. */
  async refresh() {
    try {
      this.cameras = await api.cameras();
      this.#tell();
    } catch (error) {
      if (error instanceof Trouble && error.status === 401) this.again();
      else this.#failed(error);
    }
  }

  #look() {
    if (document.hidden) this.#rest();
    else this.again();
  }

  /** Fetch nothing. */
  #rest() {
    this.#turn++;
    clearTimeout(this.#retry);
    clearTimeout(this.#gather);
    this.#events?.close();
    this.#events = null;
  }

  async #greet() {
    const turn = ++this.#turn;
    try {
      const me = await api.me();
      const cameras = me.user ? await api.cameras() : null;
      if (turn !== this.#turn) return;
      [this.me, this.cameras] = [me, cameras];
    } catch (error) {
      if (turn === this.#turn) this.#failed(error);
      return;
    }
    if (this.away) this.newer ||= await api.newer();
    this.away = null;
    this.#failures = 0;
    this.#tell();
    if (this.me.user && !document.hidden) this.#listen();
  }

  #listen() {
    this.#events?.close();
    const events = new EventSource(api.events);
    for (const name of ["state", "recording", "settings", "storage", "missed"]) {
      events.addEventListener(name, () => this.doubt());
    }
    const begun = Date.now();
    events.addEventListener("error", () => {
      this.#rest();
      this.#retry = setTimeout(() => this.again(), begun + LEAST_MS - Date.now());
    });
    this.#events = events;
  }

  /** @param {unknown} error */
  #failed(error) {
    if (!(error instanceof Trouble)) throw error;
    this.#rest();
    const wait = WAITS_MS[Math.min(this.#failures++, WAITS_MS.length - 1)];
    this.away = { since: this.away?.since ?? Date.now(), retryAt: Date.now() + wait };
    this.#retry = setTimeout(() => this.again(), wait);
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

export const recorder = new Recorder();
