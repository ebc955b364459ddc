// @ts-check
/** Where on the page somebody is, as its address says after the `#`. */

/** @typedef {"watch" | "add" | "account"} View */
/** @typedef {{view: View, camera: string | null}} Place */

/** The place that the address names. @returns {Place} */
export function place() {
  const said = new URLSearchParams(location.hash.slice(1));
  const view = said.has("add") ? "add" : said.has("account") ? "account" : "watch";
  return { view, camera: said.get("camera") };
}

/**
 * Go somewhere: to the wall where nothing is said.
 *
 * @param {{view?: View, camera?: string}} to
 */
export function go({ view = "watch", camera }) {
  location.hash = address({ view, camera });
}

/**
 * The address of a place, to be linked to.
 *
 * @param {{view?: View, camera?: string}} to
 */
export function address({ view = "watch", camera }) {
  if (camera) return `#camera=${encodeURIComponent(camera)}`;
  return view === "watch" ? "#" : `#${view}`;
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
