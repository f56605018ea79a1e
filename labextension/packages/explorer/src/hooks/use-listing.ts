import { useCallback, useEffect, useRef, useState } from "react";
import type { DataClient } from "../client";
import { isAbort, toProblem } from "../problems";
import type { Entry, EntryPage, Problem } from "../types";

export const FIRST_PAGE = 200;
const LATER_PAGE = 1000;
/** "Load all" stops here: a table in a browser is no place for more. */
export const MOST_ROWS = 200_000;

export interface Listing {
  items: Entry[];
  /** There is more in the store than is loaded. */
  more: boolean;
  truncated: boolean;
  /** Nothing has come yet for this place. */
  first: boolean;
  loading: boolean;
  /** Everything is being fetched. */
  all: boolean;
  problem: Problem | undefined;
  loadMore: () => void;
  loadAll: () => void;
  stopAll: () => void;
  reload: () => void;
  /** What was just made or changed here, without asking for the whole folder again. */
  upsert: (entries: Entry[]) => void;
  remove: (paths: ReadonlySet<string>) => void;
}

interface State {
  key: string;
  items: Entry[];
  next: string | null;
  truncated: boolean;
  first: boolean;
  loading: boolean;
  all: boolean;
  problem?: Problem | undefined;
}

const fresh = (key: string): State => ({
  key,
  items: [],
  next: null,
  truncated: false,
  first: true,
  loading: true,
  all: false,
});

/**
 * A folder page by page, as the store gives it. One request at a time; another place or filter aborts it. A page
 * without rows but with a `next` is followed at once: only the store knows why it made one.
 */
export function useListing(client: DataClient, link: string, path: string, search: string): Listing {
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify([link, path, search, turn]);
  const [held, setState] = useState<State>(() => fresh(key));
  const state = held.key === key ? held : fresh(key);
  const work = useRef<{ key: string; stop: AbortController; busy: boolean; all: boolean } | null>(null);

  const fetchFrom = useCallback(
    async (after: string | null) => {
      const mine = work.current;
      if (mine === null || mine.busy) return;
      mine.busy = true;
      const update = (change: (old: State) => State): void =>
        setState((old) => (old.key === mine.key ? change(old) : old));
      update((old) => ({ ...old, loading: true, problem: undefined }));
      let next = after;
      let rows = 0;
      try {
        for (;;) {
          const limit = next === null ? FIRST_PAGE : LATER_PAGE;
          const page: EntryPage = await client.browse(
            link,
            path,
            { search, after: next, limit },
            mine.stop.signal,
          );
          if (mine.stop.signal.aborted) return;
          next = page.next;
          rows += page.items.length;
          const all = mine.all && next !== null && rows < MOST_ROWS;
          const last = !all && (page.items.length > 0 || next === null);
          update((old) => ({
            ...old,
            items: page.items.length === 0 ? old.items : [...old.items, ...page.items],
            next: page.next,
            truncated: old.truncated || page.truncated,
            first: old.first && !last,
            loading: !last,
            all,
          }));
          if (last) break;
        }
      } catch (error) {
        if (!mine.stop.signal.aborted && !isAbort(error))
          update((old) => ({ ...old, loading: false, all: false, problem: toProblem(error) }));
      } finally {
        mine.busy = false;
        mine.all = false;
      }
    },
    [client, link, path, search],
  );

  useEffect(() => {
    const stop = new AbortController();
    work.current = { key, stop, busy: false, all: false };
    // A moment's delay lets a place that is only passed through (or typed through) ask nothing.
    const timer = setTimeout(() => {
      setState(fresh(key));
      void fetchFrom(null);
    }, 0);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [key, fetchFrom]);

  const { next, loading } = state;
  const begun = !state.first || state.items.length > 0;
  const loadMore = useCallback(() => {
    if (!loading && (next !== null || !begun)) void fetchFrom(next);
  }, [loading, next, begun, fetchFrom]);
  const loadAll = useCallback(() => {
    if (work.current === null || next === null) return;
    work.current.all = true;
    setState((old) => ({ ...old, all: true }));
    void fetchFrom(next);
  }, [next, fetchFrom]);
  const stopAll = useCallback(() => {
    if (work.current !== null) work.current.all = false;
    setState((old) => ({ ...old, all: false }));
  }, []);
  const reload = useCallback(() => setTurn((now) => now + 1), []);
  const upsert = useCallback((entries: Entry[]) => {
    setState((old) => ({ ...old, items: merged(old.items, entries, old.next !== null) }));
  }, []);
  const remove = useCallback((paths: ReadonlySet<string>) => {
    setState((old) => ({ ...old, items: old.items.filter((entry) => !paths.has(entry.path)) }));
  }, []);
  return {
    items: state.items,
    more: next !== null,
    truncated: state.truncated,
    first: state.first,
    loading,
    all: state.all,
    problem: state.problem,
    loadMore,
    loadAll,
    stopAll,
    reload,
    upsert,
    remove,
  };
}

/** `fresh` among `items`, where the store's order would have it; beyond the last loaded page it comes with its own. */
export function merged(items: Entry[], fresh: Entry[], more: boolean): Entry[] {
  const result = [...items];
  for (const entry of fresh) {
    const same = result.findIndex((old) => old.path === entry.path);
    if (same !== -1) {
      result[same] = entry;
      continue;
    }
    const before = result.findIndex((old) =>
      old.kind === entry.kind ? old.path > entry.path : entry.kind === "folder",
    );
    if (before !== -1) result.splice(before, 0, entry);
    else if (!more) result.push(entry);
  }
  return result;
}
