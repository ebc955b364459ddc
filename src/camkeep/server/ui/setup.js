// @ts-check
/** The parts of the recorder's API that set cameras up. Only administrators may use them. */

import { call } from "./api.js";
import { recorder } from "./recorder.js";

/** @typedef {import("./api.js").Report} Report */
/** @typedef {"always" | "schedule" | "asked" | "off"} Mode */
/**
 * @typedef {object} Settings as they may be shown: without passwords
 * @property {string} name
 * @property {string} address
 * @property {string | null} user
 * @property {boolean} password_set
 * @property {string | null} sub_address
 * @property {string | null} sub_user
 * @property {boolean} sub_password_set
 * @property {string} transport
 * @property {string | null} trust
 * @property {Mode} mode
 * @property {string[]} schedule
 * @property {string} zone
 * @property {boolean} audio
 * @property {number} pre_roll_s
 * @property {number} segment_s
 * @property {number} flush_s
 * @property {number | null} max_bytes
 * @property {number | null} max_age_s
 * @property {number} timeout_s
 */
/** @typedef {import("./api.js").Camera & {mode: Mode, settings: Settings | null}} SetUp */
/** @typedef {Record<string, unknown>} Wish */
/** @typedef {{ok: boolean, error: string | null, cause: string | null, report: Report | null, picture: string | null}} Tested */
/** @typedef {{address: string, name: string}} Offer */
/** @typedef {{webcams: Offer[], no_webcams: string | null, network: Offer[] | null}} Offered */

/** @param {string} id */
const path = (id) => `/cameras/${encodeURIComponent(id)}`;

export const setup = {
  /** @param {Wish} wanted @returns {Promise<SetUp>} */
  add: (wanted) => call("POST", "/cameras", wanted),
  /** @returns {Promise<SetUp>} */
  demo: () => call("POST", "/demo"),
  /** @param {Wish} wanted @param {AbortSignal} signal @returns {Promise<Tested>} */
  test: (wanted, signal) => call("POST", "/cameras/test", wanted, signal),
  /** @param {boolean} network @param {AbortSignal} signal @returns {Promise<Offered>} */
  offered: (network, signal) =>
    call("GET", `/cameras/offered${network ? "?network=true" : ""}`, undefined, signal),
  /** @param {string} id @param {Wish} wish @returns {Promise<SetUp>} */
  change: (id, wish) => call("PATCH", path(id), wish),
  /** @param {string} id @returns {Promise<void>} */
  remove: (id) => call("DELETE", path(id)),
  /** @param {string[]} ids in the order in which everybody is to see them */
  order: (ids) => call("PUT", "/cameras/order", { cameras: ids }),
};

/** All cameras, as far as they are known. */
export const cameras = () => /** @type {SetUp[]} */ (recorder.cameras ?? []);
