// @ts-check
/** Where this browser keeps how the wall was arranged here. */

import { read, usual } from "./layout.js";

/** @typedef {import("./layout.js").Layout} Layout */

const KEPT_AS = "camkeep.wall";

/** @type {Layout | null} */
let known = null;

export const arrangement = {
  /** @returns {Layout} */
  get() {
    try {
      known ??= read(localStorage.getItem(KEPT_AS));
    } catch {
      known ??= read(null); // a browser that keeps nothing
    }
    return known;
  },

  /** @param {Layout} layout */
  set(layout) {
    known = layout;
    try {
      if (usual(layout)) localStorage.removeItem(KEPT_AS);
      else localStorage.setItem(KEPT_AS, JSON.stringify(layout));
    } catch {
      // it lasts until the page is loaded again
    }
  },
};
