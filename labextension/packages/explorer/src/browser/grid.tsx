import { useVirtualizer } from "@tanstack/react-virtual";
import * as React from "react";
import { useExplorer } from "../context";
import type { Selection } from "../hooks/use-selection";
import type { Entry } from "../types";
import { Icon } from "../ui/icons";
import { useGridKeys, type GridKeys } from "./keys";
import { Row, classWord, type RowActions } from "./row";
import { nextSort, type Sort, type SortKey } from "./sort";

interface GridProps extends Pick<GridKeys, "onUp" | "onDelete" | "onRename" | "onFilter" | "onEscape"> {
  label: string;
  rows: Entry[];
  selection: Selection;
  sort: Sort;
  onSort: (sort: Sort) => void;
  /** The path of the previewed file. */
  shown: string | undefined;
  below: string | undefined;
  /** There are more rows than these, and the next page is asked for near the end. */
  more: boolean;
  onNearEnd: () => void;
  onOpen: (entry: Entry) => void;
  onTwice: (entry: Entry) => void;
  onMenu: (index: number, at: { x: number; y: number }) => void;
  gridRef: React.RefObject<HTMLDivElement | null>;
  children?: React.ReactNode;
}

const ROW = { wide: 36, compact: 28 };
const HEAD = 34;
/** The next page is on its way before its first row comes into sight. */
const AHEAD = 60;

/** The rows of a folder or of a search: an ARIA grid that draws only what is in sight. */
export function Grid(props: GridProps) {
  const { rows, selection, sort, more, onNearEnd, gridRef } = props;
  const { compact } = useExplorer();
  const id = React.useId();
  const height = compact ? ROW.compact : ROW.wide;
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => gridRef.current,
    estimateSize: () => height,
    overscan: 12,
    useFlushSync: false,
    scrollMargin: HEAD,
    scrollPaddingStart: HEAD,
  });
  const items = virtual.getVirtualItems();
  // Rows that scroll out of sight are drawn anew as those that come in: cheaper than making them again.
  const slots = Math.ceil(items.length / 16) * 16;
  const lastSeen = items.at(-1)?.index ?? 0;
  React.useEffect(() => {
    if (more && lastSeen >= rows.length - AHEAD) onNearEnd();
  }, [more, lastSeen, rows.length, onNearEnd]);

  const classes = React.useMemo(() => rows.some((row) => classWord(row.storage_class) !== ""), [rows]);
  const { active } = selection;
  const moved = React.useRef(active);
  React.useEffect(() => {
    if (moved.current !== active) virtual.scrollToIndex(active);
    moved.current = active;
  }, [active, virtual]);

  const latest = React.useRef(props);
  React.useEffect(() => {
    latest.current = props;
  });
  const actions = React.useMemo<RowActions>(
    () => ({
      open: (entry) => latest.current.onOpen(entry),
      twice: (entry) => latest.current.onTwice(entry),
      press: (index, event) => {
        const { selection: now } = latest.current;
        if (event.ctrlKey || event.metaKey) now.toggle(index);
        else now.go(index, { extend: event.shiftKey });
      },
      toggle: (index) => latest.current.selection.toggle(index),
      menu: (index, at) => {
        const { selection: now, rows: list } = latest.current;
        if (!now.chosen.has(list[index]?.path ?? "")) now.go(index);
        latest.current.onMenu(index, at);
      },
    }),
    [],
  );
  const onKeyDown = useGridKeys({
    ...props,
    page: Math.max(1, Math.floor((gridRef.current?.clientHeight ?? 400) / height) - 2),
    onMenu: (index) => {
      const row = gridRef.current?.querySelector(`[aria-rowindex="${index + 2}"]`);
      const box = (row ?? gridRef.current)?.getBoundingClientRect();
      if (box !== undefined) props.onMenu(index, { x: box.left + 40, y: box.top + height });
    },
  });
  const onFirst = items.some((item) => item.index === active);
  return (
    <div
      ref={gridRef}
      className={`dx-grid ${compact ? "dx-grid-compact" : classes ? "dx-grid-classes" : ""}`}
      role="grid"
      tabIndex={0}
      aria-label={props.label}
      aria-rowcount={more ? -1 : rows.length + 1}
      aria-multiselectable="true"
      aria-activedescendant={rows.length > 0 && onFirst ? `${id}-${active}` : undefined}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" className="dx-grid-head">
        <div role="row" aria-rowindex={1} className="dx-row-head">
          <span role="columnheader" className="dx-cell-check">
            <span className="dx-sr">Chosen</span>
          </span>
          <Head by="name" label="Name" sort={sort} onSort={props.onSort} />
          <Head by="size" label="Size" sort={sort} onSort={props.onSort} />
          {!compact && (
            <>
              <Head by="modified" label="Modified" sort={sort} onSort={props.onSort} />
              {classes && (
                <span role="columnheader" className="dx-cell-class">
                  Class
                </span>
              )}
            </>
          )}
          <span role="columnheader" className="dx-cell-menu">
            <span className="dx-sr">Actions</span>
          </span>
        </div>
      </div>
      <div role="rowgroup" className="dx-grid-rows" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const entry = rows[item.index];
          return (
            entry && (
              <Row
                key={item.index % slots}
                id={`${id}-${item.index}`}
                entry={entry}
                index={item.index}
                top={item.start - HEAD}
                height={height}
                active={item.index === active}
                chosen={selection.chosen.has(entry.path)}
                shown={entry.path === props.shown}
                compact={compact}
                classes={classes}
                below={props.below}
                actions={actions}
              />
            )
          );
        })}
      </div>
      {props.children}
    </div>
  );
}

interface HeadProps {
  by: SortKey;
  label: string;
  sort: Sort;
  onSort: (sort: Sort) => void;
}

function Head({ by, label, sort, onSort }: HeadProps) {
  const mine = sort?.by === by ? sort : undefined;
  const way = mine === undefined ? "none" : mine.down ? "descending" : "ascending";
  return (
    <span role="columnheader" aria-sort={way} className={`dx-cell-${by === "modified" ? "date" : by}`}>
      <button type="button" onClick={() => onSort(nextSort(sort, by))}>
        {label} {mine !== undefined && <Icon name={mine.down ? "down" : "up"} />}
      </button>
    </span>
  );
}
