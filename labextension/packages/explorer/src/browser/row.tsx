import * as React from "react";
import { nameOf, parentOf } from "../paths";
import { dateTime, size } from "../text";
import type { Entry } from "../types";
import { Elided } from "../ui/elided";
import { EntryIcon, Icon } from "../ui/icons";

/** What rows call; one object for all of them, so that scrolling draws only the new ones. */
export interface RowActions {
  open: (entry: Entry) => void;
  press: (index: number, event: React.MouseEvent) => void;
  twice: (entry: Entry) => void;
  toggle: (index: number) => void;
  menu: (index: number, at: { x: number; y: number }) => void;
}

interface RowProps {
  id: string;
  entry: Entry;
  index: number;
  top: number;
  height: number;
  active: boolean;
  chosen: boolean;
  shown: boolean;
  compact: boolean;
  classes: boolean;
  /** Hits of a search tell their folder, below this one. */
  below: string | undefined;
  actions: RowActions;
}

export const Row = React.memo(function Row(props: RowProps) {
  const { id, entry, index, active, chosen, compact, below, actions } = props;
  const folder = below === undefined ? "" : parentOf(entry.path).slice(below.length);
  return (
    <div
      id={id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={chosen}
      className={`dx-row ${active ? "dx-row-active" : ""} ${chosen ? "dx-row-chosen" : ""} ${props.shown ? "dx-row-shown" : ""}`}
      style={{ height: props.height, transform: `translateY(${props.top}px)` }}
      onClick={(event) => actions.press(index, event)}
      onDoubleClick={() => actions.twice(entry)}
      onContextMenu={(event) => {
        event.preventDefault();
        actions.menu(index, { x: event.clientX, y: event.clientY });
      }}
    >
      <span
        role="gridcell"
        className="dx-cell-check"
        onClick={(event) => {
          event.stopPropagation();
          actions.toggle(index);
        }}
      >
        <span className="dx-tick" aria-hidden="true">
          {chosen && <Icon name="check" />}
        </span>
      </span>
      <span role="gridcell" className="dx-cell-name">
        <EntryIcon entry={entry} />
        <span
          className="dx-name"
          onClick={(event) => {
            if (event.shiftKey || event.ctrlKey || event.metaKey) return;
            event.stopPropagation();
            actions.press(index, event);
            actions.open(entry);
          }}
        >
          <Elided text={entry.name} />
          {entry.kind === "folder" && <span className="dx-sr">folder</span>}
        </span>
        {folder !== "" && <span className="dx-name-folder">{folder}</span>}
      </span>
      <span role="gridcell" className="dx-cell-size">
        {entry.size === null || entry.kind === "folder" ? "" : size(entry.size)}
      </span>
      {!compact && (
        <>
          <span role="gridcell" className="dx-cell-date">
            {entry.modified === null ? "" : dateTime(entry.modified)}
          </span>
          {props.classes && (
            <span role="gridcell" className="dx-cell-class">
              {classWord(entry.storage_class)}
            </span>
          )}
        </>
      )}
      <span role="gridcell" className="dx-cell-menu">
        <button
          type="button"
          className="dx-button dx-button-quiet dx-icon-button"
          tabIndex={-1}
          aria-label={`Actions for ${nameOf(entry.path)}`}
          aria-haspopup="menu"
          onClick={(event) => {
            event.stopPropagation();
            const box = event.currentTarget.getBoundingClientRect();
            actions.menu(index, { x: box.left, y: box.bottom });
          }}
        >
          <Icon name="more" />
        </button>
      </span>
    </div>
  );
});

/** The everyday class is not worth a word. */
export const classWord = (name: string | null): string =>
  name === null || name.toUpperCase() === "STANDARD" ? "" : name.toLowerCase().replaceAll("_", " ");
