import { useCallback, useMemo, useState } from "react";
import type { Entry } from "../types";

export interface Selection {
  /** The row that the keys act on. */
  active: number;
  chosen: ReadonlySet<string>;
  /** What an action acts on: the chosen rows, or the active one. */
  entries: Entry[];
  /** Goes to a row. `extend` chooses all from the anchor to it, `keep` leaves what is chosen. */
  go: (index: number, how?: { extend?: boolean; keep?: boolean }) => void;
  toggle: (index: number) => void;
  all: () => void;
  clear: () => void;
}

interface State {
  of: string;
  active: number;
  anchor: number;
  chosen: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

/** Which rows of a list are chosen; `of` names the list, and another one begins with nothing chosen. */
export function useSelection(of: string, rows: Entry[]): Selection {
  const [held, setState] = useState<State>({ of, active: 0, anchor: 0, chosen: NONE });
  const state = held.of === of ? held : { of, active: 0, anchor: 0, chosen: NONE };
  const active = Math.max(0, Math.min(state.active, rows.length - 1));

  const change = useCallback(
    (make: (old: State) => State) =>
      setState((old) => make(old.of === of ? old : { of, active: 0, anchor: 0, chosen: NONE })),
    [of],
  );
  const go = useCallback<Selection["go"]>(
    (index, { extend = false, keep = false } = {}) => {
      const to = Math.max(0, Math.min(index, rows.length - 1));
      change((old) => {
        if (!extend) return { ...old, active: to, anchor: to, chosen: keep ? old.chosen : NONE };
        const [from, until] = [Math.min(old.anchor, to), Math.max(old.anchor, to)];
        return { ...old, active: to, chosen: new Set(rows.slice(from, until + 1).map((row) => row.path)) };
      });
    },
    [rows, change],
  );
  const toggle = useCallback(
    (index: number) => {
      const row = rows[index];
      if (row === undefined) return;
      change((old) => {
        const chosen = new Set(old.chosen);
        if (!chosen.delete(row.path)) chosen.add(row.path);
        return { ...old, active: index, anchor: index, chosen };
      });
    },
    [rows, change],
  );
  const all = useCallback(
    () => change((old) => ({ ...old, chosen: new Set(rows.map((row) => row.path)) })),
    [rows, change],
  );
  const clear = useCallback(() => change((old) => ({ ...old, chosen: NONE })), [change]);

  const entries = useMemo(() => {
    if (state.chosen.size > 0) return rows.filter((row) => state.chosen.has(row.path));
    const row = rows[active];
    return row === undefined ? [] : [row];
  }, [rows, state.chosen, active]);
  return { active, chosen: state.chosen, entries, go, toggle, all, clear };
}
