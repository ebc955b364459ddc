// @ts-check
/**
 * Making elements. Text only ever becomes text: nothing here, or anywhere on the page, parses HTML.
 */

const ICONS = new URL("./icons.svg", import.meta.url).pathname;
const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @typedef {object} OurTags
 * @property {HTMLElement} camkeep-account
 * @property {HTMLElement} camkeep-cameras
 * @property {HTMLElement} camkeep-login
 * @property {HTMLElement} camkeep-setup
 * @property {HTMLElement} camkeep-wall
 * @property {HTMLElement} camkeep-watch
 */
/** @typedef {HTMLElementTagNameMap & OurTags} Tags */

/**
 * An element with attributes and children. `true` sets an attribute without a value; null,
 * undefined and false leave it away; a function under `onNAME` listens to that event.
 *
 * @template {keyof Tags} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...Child} children
 * @returns {Tags[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = /** @type {Tags[Tag] & HTMLElement} */ (document.createElement(tag));
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...kept(children));
  return element;
}

/**
 * One of the drawings in icons.svg. It says nothing to a screen reader: the text beside it does.
 *
 * @param {string} name
 */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${ICONS}#${name}`);
  drawing.append(use);
  return drawing;
}

/**
 * Change the text of an element, if it is another one: a screen reader repeats what is written anew.
 *
 * @param {Element} element
 * @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {Child[]} children @returns {(Node | string)[]} */
function kept(children) {
  return children.flatMap((child) => (child || child === "" ? [child] : []));
}
