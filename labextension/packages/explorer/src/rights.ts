import { sentence } from "./text";
import type { LinkView } from "./types";

/** Why this person may not do something with a link; undefined: they may. */
export interface Rights {
  download: string | undefined;
  write: string | undefined;
}

export function rightsOf(link: LinkView): Rights {
  const download =
    link.role === "view" ? "You may look at this link’s files, and not download them" : undefined;
  const write =
    link.role !== "write"
      ? `You may ${link.role === "view" ? "look at" : "read"} this link’s files, and not change them`
      : link.writable
        ? undefined
        : sentence(link.why === "" ? "this link is read-only" : link.why);
  return { download, write };
}

export const ROLE_WORDS = {
  view: "Look: browse and preview",
  download: "Read: also download",
  write: "Write: also upload, rename, move, delete",
} as const;

/** The badge of a link: what the person who asks may do. */
export function accessWord(link: LinkView): string {
  if (link.role === "view") return "Look only";
  return link.role === "write" && link.writable ? "Writable" : "Read-only";
}
