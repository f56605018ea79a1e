import type { Provider } from "../types";

const SCHEMES: Record<string, Provider> = {
  s3: "s3",
  s3a: "s3",
  gs: "gcs",
  gcs: "gcs",
  az: "azure",
  abfs: "azure",
  abfss: "azure",
  file: "folder",
};

/** Which store an address is of, or why it is none. */
export function providerOf(url: string, ownMachine: boolean): { found?: Provider; fault?: string } {
  const text = url.trim();
  if (text === "") return {};
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return { fault: "It starts with s3://, gs:// or az://" };
  const found = SCHEMES[scheme] ?? "other";
  if (!ownMachine && (found === "folder" || found === "other"))
    return { fault: `“${scheme}://” can be added by an administrator alone` };
  if (text.length <= scheme.length + 3) return { found, fault: "The name of the bucket is missing" };
  return { found };
}

/** A name for a link from its address: the last folder, or the bucket. */
export function nameFrom(url: string): string {
  const parts = url
    .trim()
    .replace(/^[^:]*:\/\//, "")
    .split("/")
    .filter(Boolean);
  return (parts.at(-1) ?? "").slice(0, 80);
}
