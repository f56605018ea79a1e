import type * as React from "react";
import { useRef } from "react";
import type { Selection } from "../hooks/use-selection";
import type { Entry } from "../types";

export interface GridKeys {
  rows: Entry[];
  selection: Selection;
  /** Rows that fit on the screen. */
  page: number;
  onOpen: (entry: Entry) => void;
  onUp: () => void;
  onDelete: () => void;
  onRename: () => void;
  onMenu: (index: number) => void;
  onFilter: () => void;
  onEscape: () => void;
}

const TYPED_TOGETHER = 700;

/** The keys of the list: arrows, pages, Enter, Backspace, Space, Delete, F2, the menu key, and first letters. */
export function useGridKeys(keys: GridKeys): (event: React.KeyboardEvent) => void {
  const typed = useRef({ text: "", at: 0 });
  return (event) => {
    const { rows, selection, page } = keys;
    const { active } = selection;
    const control = event.ctrlKey || event.metaKey;
    const moves: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: rows.length - 1,
    };
    const handled = (): boolean => {
      const to = moves[event.key];
      if (to !== undefined && !event.altKey) {
        selection.go(to, { extend: event.shiftKey, keep: control });
        return true;
      }
      const row = rows[active];
      switch (event.key) {
        case "Enter":
          if (row !== undefined) keys.onOpen(row);
          return true;
        case "Backspace":
          keys.onUp();
          return true;
        case " ":
          if (typed.current.text !== "" && Date.now() - typed.current.at < TYPED_TOGETHER) break;
          selection.toggle(active);
          return true;
        case "Delete":
          keys.onDelete();
          return true;
        case "F2":
          keys.onRename();
          return true;
        case "ContextMenu":
          keys.onMenu(active);
          return true;
        case "F10":
          if (!event.shiftKey) return false;
          keys.onMenu(active);
          return true;
        case "Escape":
          keys.onEscape();
          return true;
        case "/":
          keys.onFilter();
          return true;
      }
      if (control && event.key.toLowerCase() === "a") {
        selection.all();
        return true;
      }
      if (event.key.length !== 1 || control || event.altKey) return false;
      typeAhead(event.key);
      return true;
    };
    const typeAhead = (key: string): void => {
      const now = Date.now();
      const held = typed.current;
      const text = (now - held.at < TYPED_TOGETHER ? held.text : "") + key.toLowerCase();
      typed.current = { text, at: now };
      // The same letter again goes on to the next such row.
      const repeated = Array.from(text).every((letter) => letter === text[0]);
      const wanted = repeated ? text.charAt(0) : text;
      const from = repeated ? active + 1 : active;
      for (let step = 0; step < rows.length; step += 1) {
        const index = (from + step) % rows.length;
        if (rows[index]?.name.toLowerCase().startsWith(wanted)) {
          selection.go(index);
          return;
        }
      }
    };
    if (event.target !== event.currentTarget) return;
    if (handled()) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
}
