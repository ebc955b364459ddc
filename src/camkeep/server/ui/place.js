// @ts-check
/**
 * Where on the page somebody is, as its address says after the `#`: `camera=ID`, `at=INSTANT`
 * (with or without a camera), `clips`, `cameras=new`, `system=storage`, `account`, and
 * `shared=SECRET` for people without one.
 */

/** @typedef {"watch" | "clips" | "cameras" | "system" | "account"} View */
/**
 * @typedef {object} Place
 * @property {View} view
 * @property {string} id what of the view: a section, a camera to be set up; or empty
 * @property {string | null} camera the one that is watched alone
 * @property {number | null} at microseconds since 1970; null for live
 * @property {string | null} shared the secret of a link to a clip
 */

export const VIEWS = /** @type {const} */ (["watch", "clips", "cameras", "system", "account"]);

/** The place that an address names: by default that of the page. @param {string} [hash] @returns {Place} */
export function place(hash = location.hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const view = VIEWS.find((each) => said.has(each)) ?? "watch";
  const ms = Date.parse(said.get("at") ?? "");
  return {
    view,
    id: said.get(view) ?? "",
    camera: said.get("camera"),
    at: Number.isNaN(ms) ? null : ms * 1000,
    shared: said.get("shared"),
  };
}

/** @typedef {{view?: View, id?: string, camera?: string | null, at?: number | null}} To */

/** Go somewhere: to the wall where nothing is said. @param {To} to */
export function go(to) {
  location.hash = address(to);
}

/** The address of a place, to be linked to. @param {To} to */
export function address({ view = "watch", id = "", camera = null, at = null }) {
  if (view !== "watch") return `#${view}${id && `=${encodeURIComponent(id)}`}`;
  const said = [];
  if (camera) said.push(`camera=${encodeURIComponent(camera)}`);
  if (at !== null) said.push(`at=${new Date(at / 1000).toISOString()}`);
  return `#${said.join("&")}`;
}

/** Go to full screen, or back; where the browser has none, nothing happens. */
export async function fullScreen() {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen?.();
  } catch {
    // the browser does not allow it here
  }
}
