import * as React from "react";
import { Icon, type IconName } from "./icons";

export interface Command {
  id: string;
  label: string;
  icon?: IconName | undefined;
  /** Shown at the end of the line. */
  keys?: string | undefined;
  danger?: boolean | undefined;
  /** Why it cannot be done here: the line stays, and says so. */
  reason?: string | undefined;
  /** A line above it. */
  apart?: boolean | undefined;
  run: () => void;
}

export interface MenuAt {
  x: number;
  y: number;
  label: string;
  commands: Command[];
}

/** A menu at a point: arrows, Home, End, first letters, Escape. It lies above everything, whatever clips its parents. */
export function Menu({ at, onClose }: { at: MenuAt; onClose: () => void }) {
  const list = React.useRef<HTMLDivElement>(null);
  React.useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const before = document.activeElement;
    if ("showPopover" in element) {
      element.setAttribute("popover", "manual");
      element.showPopover();
    }
    const { width, height } = element.getBoundingClientRect();
    element.style.left = `${Math.max(4, Math.min(at.x, window.innerWidth - width - 4))}px`;
    element.style.top = `${at.y + height > window.innerHeight ? Math.max(4, at.y - height) : at.y}px`;
    element.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [at]);

  React.useEffect(() => {
    const outside = (event: Event): void => {
      if (!(event.target instanceof Node && list.current?.contains(event.target))) onClose();
    };
    document.addEventListener("pointerdown", outside, true);
    window.addEventListener("blur", onClose);
    window.addEventListener("resize", onClose);
    return () => {
      document.removeEventListener("pointerdown", outside, true);
      window.removeEventListener("blur", onClose);
      window.removeEventListener("resize", onClose);
    };
  }, [onClose]);

  const keys = (event: React.KeyboardEvent): void => {
    event.stopPropagation();
    const items = Array.from(list.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? []);
    const now = items.findIndex((item) => item === document.activeElement);
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      items.at(to % items.length)?.focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      onClose();
    } else if (event.key.length === 1 && event.key !== " ") {
      const letter = event.key.toLowerCase();
      const order = [...items.slice(now + 1), ...items.slice(0, now + 1)];
      order.find((item) => item.textContent.trim().toLowerCase().startsWith(letter))?.focus();
    }
  };

  return (
    <div ref={list} className="dx-menu" role="menu" aria-label={at.label} onKeyDown={keys}>
      {at.commands.map((command) => (
        <React.Fragment key={command.id}>
          {command.apart && <div className="dx-menu-line" role="separator" />}
          <button
            type="button"
            role="menuitem"
            tabIndex={-1}
            className={`dx-menu-item ${command.danger ? "dx-menu-danger" : ""}`}
            aria-disabled={command.reason === undefined ? undefined : true}
            onClick={() => {
              if (command.reason !== undefined) return;
              onClose();
              command.run();
            }}
          >
            {command.icon === undefined ? <span className="dx-icon" /> : <Icon name={command.icon} />}
            <span className="dx-menu-label">
              {command.label} {command.reason !== undefined && <small>{command.reason}</small>}
            </span>
            {command.keys !== undefined && <kbd aria-hidden="true">{command.keys}</kbd>}
          </button>
        </React.Fragment>
      ))}
    </div>
  );
}
