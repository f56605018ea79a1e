import type { MountSpec } from "../api/types";

const RESERVED = ["all", "none"];

/** A name for the mount of something called `text` that none of `taken` has: as the service would give it. */
export function mountName(text: string, taken: readonly string[] = []): string {
  const slug =
    text
      .toLowerCase()
      .replace(/[^a-z0-9._]+/g, "-")
      .replace(/^[-._]+|[-._]+$/g, "")
      .slice(0, 56) || "data";
  const used = [...taken.map((name) => name.toLowerCase()), ...RESERVED];
  let candidate = slug;
  for (let n = 2; used.includes(candidate); n++) candidate = `${slug}-${n}`;
  return candidate;
}

/** What is wrong with the name of the mount at `index`; undefined: nothing. */
export function mountNameError(mounts: readonly MountSpec[], index: number): string | undefined {
  const name = mounts[index]?.name ?? "";
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name))
    return "Use letters, digits, “.”, “_” and “-”; the first is a letter or a digit.";
  if (RESERVED.includes(name.toLowerCase())) return `“${name}” is a word of commands: choose another name.`;
  const twice = mounts.some((one, at) => at < index && one.name?.toLowerCase() === name.toLowerCase());
  return twice ? `“${name}” is there twice.` : undefined;
}

/** The first fault among the names of `mounts`. */
export const mountsError = (mounts: readonly MountSpec[]): string | undefined =>
  mounts.map((_, index) => mountNameError(mounts, index)).find((error) => error !== undefined);
