/** Sizes, times and words as people read them. */

export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  let unit = "B";
  for (const next of ["kB", "MB", "GB", "TB", "PB"]) {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

export const number = (n: number): string => n.toLocaleString("en");

export function count(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });

export const dateTime = (time: string): string => FULL.format(new Date(time));
export const day = (time: string): string => DAY.format(new Date(time));

/** A sentence with its full stop and a capital at the start, from a part of a problem. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  const first = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}

/** A name with what cannot be seen made visible: control characters as their pictures, nothing as words. */
export function visible(name: string): string {
  if (name === "") return "(no name)";
  // eslint-disable-next-line no-control-regex
  return name.replace(/[\u0000-\u001f\u007f]/g, (c) =>
    c === "\u007f" ? "␡" : String.fromCharCode(0x2400 + c.charCodeAt(0)),
  );
}

/** The two parts of a long name: the first may be cut, the second is always seen (an extension, a number). */
export function halves(name: string): [string, string] {
  const letters = Array.from(name);
  const tail = Math.min(12, Math.floor(letters.length / 2));
  return [letters.slice(0, letters.length - tail).join(""), letters.slice(letters.length - tail).join("")];
}
