// @ts-check

/**
 * Tell whether an element is on the screen of a page that is seen: at first, and with each change.
 *
 * @param {Element} element
 * @param {AbortSignal} signal until when
 * @param {(seen: boolean) => void} tell
 */
export function sight(element, signal, tell) {
  let there = false;
  const look = () => tell(there && !document.hidden);
  const watching = new IntersectionObserver((seen) => {
    there = seen[seen.length - 1].isIntersecting;
    look();
  });
  watching.observe(element);
  signal.addEventListener("abort", () => watching.disconnect());
  document.addEventListener("visibilitychange", look, { signal });
}
