// @ts-check
/** Keys that do something while nobody is typing. sheet.js tells people of them. */

/** @typedef {(event: KeyboardEvent) => unknown} Act */

/**
 * Listen for keys until `signal` ends: `{"r": record, "Shift+ArrowLeft": back}`. Names are those of
 * KeyboardEvent.key, letters in small. An act that returns false lets the key go on.
 *
 * @param {Record<string, Act>} map
 * @param {AbortSignal} signal
 */
export function keys(map, signal) {
  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (taken(event)) return;
    const act = map[keyOf(event)];
    if (act && act(event) !== false) event.preventDefault();
  };
  addEventListener("keydown", pressed, { signal });
}

/** @param {KeyboardEvent} event */
function keyOf({ key, shiftKey }) {
  if (key.length === 1) return key.toLowerCase();
  return shiftKey ? `Shift+${key}` : key;
}

/** Whether what has the focus wants the key for itself. @param {KeyboardEvent} event */
function taken({ target, key }) {
  if (!(target instanceof Element)) return false;
  if (target.closest("dialog, input:not([type=checkbox]), textarea, select")) return true;
  return key === " " && target.closest("button:not([large] > .open), a, summary, [type=checkbox]") !== null;
}
