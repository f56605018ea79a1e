/** Sizes, times and words as people read them. */

export { count, dateTime, sentence, size } from "@jupyterhub-studios/explorer";

export function memory(mib: number): string {
  return mib < 1024 ? `${mib} MiB` : `${Number((mib / 1024).toFixed(1))} GiB`;
}

/** A length of time, in at most two units: "0.4 s", "12 s", "1 min 5 s", "2 h 10 min", "3 d 4 h". */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const s = Math.floor(seconds);
  const m = Math.floor(s / 60);
  const h = Math.floor(m / 60);
  if (m === 0) return `${s} s`;
  if (h === 0) return two(m, "min", s % 60, "s");
  if (h < 24) return two(h, "h", m % 60, "min");
  return two(Math.floor(h / 24), "d", h % 24, "h");
}

const two = (a: number, unitA: string, b: number, unitB: string): string =>
  b === 0 ? `${a} ${unitA}` : `${a} ${unitA} ${b} ${unitB}`;

/** How long ago, in one unit: "just now", "3 min ago", "2 h ago", "5 d ago". */
export function ago(time: string, now: number): string {
  const s = Math.floor((now - Date.parse(time)) / 1000);
  if (s < 10) return "just now";
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86400)} d ago`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

export const clockTime = (time: string): string => CLOCK.format(new Date(time));

/** Characters as the service counts them: code points, not UTF-16 units. */
export const length = (text: string): number => Array.from(text).length;
