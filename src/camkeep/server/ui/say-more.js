// @ts-check
/** All that is said to people: with `say.js`, which is there from the start, what is said elsewhere than where one watches. */

import { say as near, language } from "./say.js";

const { more } = await (language === "de" ? import("./de-more.js") : import("./en-more.js"));

export const say = { ...near, ...more };
