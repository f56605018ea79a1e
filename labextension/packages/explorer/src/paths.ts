import type { LinkView } from "./types";

/** Paths of object stores: any text, "//" and a trailing "/" included. A folder's path ends with "/", the root is "". */

export function parentOf(path: string): string {
  const inner = path.endsWith("/") ? path.slice(0, -1) : path;
  return inner.slice(0, inner.lastIndexOf("/") + 1);
}

export function nameOf(path: string): string {
  const inner = path.endsWith("/") ? path.slice(0, -1) : path;
  return inner.slice(inner.lastIndexOf("/") + 1);
}

/** Every folder on the way to `path`, without the root. */
export function crumbsOf(path: string): { name: string; path: string }[] {
  const crumbs = [];
  for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) {
    const folder = path.slice(0, end + 1);
    crumbs.push({ name: nameOf(folder), path: folder });
  }
  return crumbs;
}

/** The address that other tools understand. */
export function addressOf(link: LinkView, path: string): string {
  const root = link.url.endsWith("/") || path === "" ? link.url : `${link.url}/`;
  return root + path;
}

/** Why this name cannot be used for a new file or folder; undefined: it can. */
export function nameFault(name: string): string | undefined {
  if (name.trim() === "") return "Give it a name";
  if (name.includes("/")) return "A name has no “/” in it";
  if (name === "." || name === "..") return `“${name}” is not a name`;
  if (new TextEncoder().encode(name).length > 255) return "The name is too long: at most 255 bytes";
  return undefined;
}

/** `name` with a number before its extension: "reads.fastq.gz" → "reads (2).fastq.gz". */
export function numbered(name: string, n: number): string {
  const dot = name.indexOf(".", 1);
  return dot === -1 ? `${name} (${n})` : `${name.slice(0, dot)} (${n})${name.slice(dot)}`;
}
