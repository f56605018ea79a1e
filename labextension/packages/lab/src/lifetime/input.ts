/** What people do with their hands. */
const EVENTS = ["pointerdown", "pointermove", "keydown", "wheel"] as const;

/**
 * Calls `tell` when somebody uses this page, at most once in `seconds()`: when, and not what.
 */
export function watchInput(tell: () => void, seconds: () => number): void {
  const seen = noticing(tell, seconds, () => performance.now());
  for (const name of EVENTS) document.addEventListener(name, seen, { capture: true, passive: true });
}

/** Scripts' own events do not count, nor does a pointer that passes over a window behind another. */
export function noticing(
  tell: () => void,
  seconds: () => number,
  clock: () => number,
): (event: Pick<Event, "isTrusted" | "type">) => void {
  let last = -Infinity;
  return (event) => {
    if (!event.isTrusted) return;
    if (event.type === "pointermove" && !document.hasFocus()) return;
    if (clock() - last < seconds() * 1000) return;
    last = clock();
    tell();
  };
}
