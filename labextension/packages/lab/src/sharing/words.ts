import { URLExt } from "@jupyterlab/coreutils";

/** What the gate answers: both null while nobody stops the session. */
export interface Ending {
  reason: string | null;
  seconds: number | null;
}

/** The studio's page, where links made now lead to `path`. */
export function sharingPage(page: string, path: string | null): string {
  const query = new URLSearchParams({ tab: "sharing" });
  if (path !== null) query.set("open", `lab/tree/${URLExt.encodeParts(path)}`);
  return `${page}?${query.toString()}`;
}

export function stopWords({ reason, seconds }: Ending): string | null {
  if (reason === null || seconds === null) return null;
  const soon = seconds < 1 ? "now" : `in ${Math.round(seconds)} s`;
  return `${reason} This studio ends ${soon}. Everything is saved; running programs end.`;
}
