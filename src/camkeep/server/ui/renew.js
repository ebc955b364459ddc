// @ts-check
/** Showing anew what has changed: what is the same stays, with its focus, and nothing flickers. */

/**
 * Make `old` look like `wanted`. Who listens to `old` goes on; who listens to `wanted` may not be heard.
 *
 * @param {Element} old
 * @param {Element} wanted
 */
export function renew(old, wanted) {
  for (const { name, value } of wanted.attributes) {
    if (name !== "style" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const name of old.getAttributeNames()) {
    if (name !== "style" && !wanted.hasAttribute(name)) old.removeAttribute(name);
  }
  if (old instanceof HTMLElement && wanted instanceof HTMLElement) {
    for (const name of wanted.style) old.style.setProperty(name, wanted.style.getPropertyValue(name));
  }
  const [before, after] = [[...old.childNodes], [...wanted.childNodes]];
  if (before.length !== after.length || after.some((each, n) => each.nodeName !== before[n].nodeName)) {
    old.replaceChildren(...after);
    return;
  }
  for (const [n, each] of after.entries()) {
    if (each instanceof Element) renew(/** @type {Element} */ (before[n]), each);
    else if (before[n].nodeValue !== each.nodeValue) before[n].nodeValue = each.nodeValue;
  }
}
