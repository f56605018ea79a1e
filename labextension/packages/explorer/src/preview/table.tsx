import { useVirtualizer } from "@tanstack/react-virtual";
import * as React from "react";
import type { PreviewQuery } from "../client";
import { count, number } from "../text";
import type { Cell, TablePreview } from "../types";
import { Button } from "../ui/button";

interface TableViewProps {
  preview: TablePreview;
  loading: boolean;
  onAsk: (query: PreviewQuery) => void;
}

const ROW = 28;

/** Rows of CSV, Parquet, BAM, VCF and the like; only those in sight are drawn. */
export function TableView({ preview, loading, onAsk }: TableViewProps) {
  const { columns, rows, header, facts, total_rows } = preview;
  const scroll = React.useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 10,
    useFlushSync: false,
  });
  const items = virtual.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const numeric = React.useMemo(
    () => columns.map((_, at) => rows.length > 0 && rows.every((row) => isNumber(row[at]))),
    [columns, rows],
  );
  return (
    <div className="dx-table">
      <div className="dx-text-bar">
        <span>
          {total_rows !== null && total_rows !== rows.length
            ? `${number(rows.length)} of ${count(total_rows, "row")}`
            : count(rows.length, "row")}
          {" · "}
          {count(columns.length, "column")}
        </span>
        <Groups preview={preview} loading={loading} onAsk={onAsk} />
      </div>
      {(header !== "" || facts.length > 0) && (
        <details className="dx-table-header">
          <summary>Header and summary</summary>
          {facts.length > 0 && <Facts facts={facts} />}
          {header !== "" && (
            <pre tabIndex={0} role="region" aria-label="Header of the file">
              {header}
            </pre>
          )}
        </details>
      )}
      <div ref={scroll} className="dx-table-scroll" tabIndex={0} role="region" aria-label="Rows">
        <table aria-rowcount={rows.length + 1}>
          <thead>
            <tr>
              <th scope="col" className="dx-table-number">
                <span className="dx-sr">Row</span>
              </th>
              {columns.map((column, at) => (
                <th key={at} scope="col" className={numeric[at] ? "dx-right" : ""}>
                  {column.name}
                  {column.type !== "" && <small>{column.type}</small>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {before > 0 && <Spacer height={before} />}
            {items.map((item) => (
              <tr key={item.index} aria-rowindex={item.index + 2} style={{ height: ROW }}>
                <td className="dx-table-number">{item.index + 1}</td>
                {rows[item.index]?.map((cell, at) => (
                  <td key={at} className={numeric[at] ? "dx-right" : ""}>
                    <CellText cell={cell} />
                  </td>
                ))}
              </tr>
            ))}
            {after > 0 && <Spacer height={after} />}
          </tbody>
        </table>
      </div>
    </div>
  );
}

const isNumber = (cell: Cell | undefined): boolean =>
  cell === null ||
  cell === undefined ||
  cell === "" ||
  typeof cell === "number" ||
  (typeof cell === "string" && /^[-+]?[\d.]+(e[-+]?\d+)?$/i.test(cell));

function Spacer({ height }: { height: number }) {
  return (
    <tr aria-hidden="true">
      <td style={{ height, padding: 0, border: 0 }} />
    </tr>
  );
}

function CellText({ cell }: { cell: Cell }) {
  if (cell === null) return <span className="dx-null">null</span>;
  const text = String(cell);
  return text.length > 40 ? <span title={text}>{text}</span> : text;
}

/** Parquet's row groups: one is shown at a time. */
function Groups({ preview: { group, groups }, loading, onAsk }: TableViewProps) {
  if (group === null || groups === null || groups < 2) return null;
  const go = (to: number): void => onAsk({ group: to });
  return (
    <span className="dx-groups">
      <Button disabled={loading || group === 0} onClick={() => go(group - 1)} icon="back">
        <span className="dx-sr">The row group before</span>
      </Button>
      <label>
        Row group{" "}
        <input
          className="dx-input"
          type="number"
          min={1}
          max={groups}
          key={group}
          defaultValue={group + 1}
          onKeyDown={(event) => {
            const to = Number(event.currentTarget.value) - 1;
            if (event.key === "Enter" && to >= 0 && to < groups && to !== group) go(to);
          }}
        />{" "}
        of {number(groups)}
      </label>
      <Button disabled={loading || group === groups - 1} onClick={() => go(group + 1)} icon="right">
        <span className="dx-sr">The next row group</span>
      </Button>
    </span>
  );
}

export function Facts({ facts }: { facts: [string, string][] }) {
  return (
    <dl className="dx-facts">
      {facts.map(([word, value]) => (
        <React.Fragment key={word}>
          <dt>{word}</dt>
          <dd>{value}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}
