// @ts-check
/** Styles that come with the part of the page that needs them, not before the first picture of a camera. */

/** @type {Map<string, Promise<unknown>>} */
const asked = new Map();

/** Until it is there. @param {string} href */
export function styled(href) {
  const known = asked.get(href);
  if (known) return known;
  const link = document.createElement("link");
  const there = new Promise((done) => {
    link.onload = link.onerror = done;
  });
  Object.assign(link, { rel: "stylesheet", href });
  document.head.append(link);
  asked.set(href, there);
  return there;
}
