// @ts-check
/** The parts of the recorder's API that are about people, and what they have. */

import { call } from "./api.js";

/** @typedef {"viewer" | "operator" | "admin"} Role */
/** @typedef {{id: string, name: string, role: Role, cameras: string[] | null, disabled: boolean}} User */
/** @typedef {{name?: string, password?: string, role?: Role, cameras?: string[] | null, disabled?: boolean}} UserWish */
/** @typedef {{id: string, user_name: string, used_us: number, address: string, agent: string, current: boolean}} Session */
/** @typedef {{id: string, user_name: string, name: string, role: Role, expires_us: number | null, used_us: number | null}} Token */
/** @typedef {{name: string, role: Role, expires: number | null}} TokenWish */
/** @typedef {{id: string, clip: string, name: string, user_name: string, expires_us: number, over: boolean, downloads: number}} Share */
/** @typedef {{id: number, wall_us: number, who: string, address: string, action: string, object: string, detail: Record<string, unknown>}} Entry */

const path = (/** @type {string} */ of, /** @type {string} */ id) => `/${of}/${encodeURIComponent(id)}`;
const of = (/** @type {string} */ what, /** @type {boolean} */ all) => `/${what}${all ? "?everyone=true" : ""}`;

/** Entries of the audit log that come at once. */
export const PAGE = 50;

export const accounts = {
  /** @returns {Promise<User[]>} */
  users: async () => (await call("GET", "/users")).users,
  /** @param {UserWish} wish @returns {Promise<User>} */
  add: (wish) => call("POST", "/users", wish),
  /** @param {string} id @param {UserWish} wish @returns {Promise<User>} */
  change: (id, wish) => call("PATCH", path("users", id), wish),
  /** @param {string} id */
  remove: (id) => call("DELETE", path("users", id)),
  /** @param {string} old @param {string} password */
  password: (old, password) => call("PUT", "/me/password", { old, new: password }),
  /** @param {boolean} all of everybody @returns {Promise<Session[]>} */
  sessions: async (all) => (await call("GET", of("sessions", all))).sessions,
  /** @param {string} id */
  end: (id) => call("DELETE", path("sessions", id)),
  endOthers: () => call("DELETE", "/sessions"),
  /** @param {boolean} all of everybody @returns {Promise<Token[]>} */
  tokens: async (all) => (await call("GET", of("tokens", all))).tokens,
  /** @param {TokenWish} wish @returns {Promise<Token & {token: string}>} */
  makeToken: (wish) => call("POST", "/tokens", wish),
  /** @param {string} id */
  revoke: (id) => call("DELETE", path("tokens", id)),
  /** @returns {Promise<Share[]>} */
  shares: async () => (await call("GET", "/shares")).shares,
  /** @param {string} id */
  takeBack: (id) => call("DELETE", path("shares", id)),
  /** @param {number | null} before the last id so far @returns {Promise<Entry[]>} */
  audit: async (before) =>
    (await call("GET", `/audit?limit=${PAGE}${before === null ? "" : `&before=${before}`}`)).entries,
};

/** What a browser calls itself, short: "Firefox, Linux"; as it came where it is none. @param {string} agent */
export function browserOf(agent) {
  const [, name] = /(Edg|OPR|Firefox|Chrome|Safari)[a-zA-Z]*\//.exec(agent.replace(/Chrome(?=.* (Edg|OPR))/, "")) ?? [];
  const [system] = /Android|iPhone|iPad|Windows|Mac OS|CrOS|Linux/.exec(agent) ?? [];
  const known = name && { Edg: "Edge", OPR: "Opera" }[name];
  return [known ?? name, system].filter(Boolean).join(", ") || agent.slice(0, 60);
}
