import type { Entry } from "../types";

export type SortKey = "name" | "size" | "modified";
/** Undefined: the store's own order. */
export type Sort = { by: SortKey; down: boolean } | undefined;

const NAMES = new Intl.Collator("en", { numeric: true });

/** The loaded rows in the order asked for; folders stay first, and what has no size or date comes last. */
export function sorted(entries: Entry[], sort: Sort): Entry[] {
  if (sort === undefined) return entries;
  const way = sort.down ? -1 : 1;
  const values = new Map<Entry, number>();
  if (sort.by === "modified")
    for (const entry of entries)
      values.set(entry, entry.modified === null ? Number.NaN : Date.parse(entry.modified));
  if (sort.by === "size") for (const entry of entries) values.set(entry, entry.size ?? Number.NaN);
  return [...entries].sort((a, b) => {
    if (a.kind !== b.kind) return a.kind === "folder" ? -1 : 1;
    if (sort.by === "name") return way * NAMES.compare(a.name, b.name);
    const [x, y] = [values.get(a) ?? Number.NaN, values.get(b) ?? Number.NaN];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return way * (x - y);
  });
}

/** What a click on a column's head does: up, down, the store's order again. */
export function nextSort(sort: Sort, by: SortKey): Sort {
  if (sort?.by !== by) return { by, down: by !== "name" };
  return sort.down === (by !== "name") ? { by, down: !sort.down } : undefined;
}
