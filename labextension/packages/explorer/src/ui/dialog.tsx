import * as React from "react";
import { useModal } from "../hooks/use-modal";
import type { Problem } from "../types";
import { Button } from "./button";
import { ProblemNote } from "./problem";

interface DialogProps {
  title: string;
  /** The word of the button that does it; without it there is nothing to do but close. */
  action?: string | undefined;
  danger?: boolean;
  busy?: boolean;
  /** It cannot be done now, as the dialog's content says. */
  disabled?: boolean;
  wide?: boolean;
  problem?: Problem | undefined;
  close?: string;
  onSubmit?: () => void;
  onClose: () => void;
  children: React.ReactNode;
}

/** A modal question. The browser's own <dialog> traps the focus, closes on Escape and gives the focus back. */
export function Dialog(props: DialogProps) {
  const {
    title,
    action,
    danger = false,
    busy = false,
    disabled = false,
    wide = false,
    problem,
    onSubmit,
    onClose,
  } = props;
  const dialog = useModal();
  const titleId = React.useId();
  const submit = (event: React.SyntheticEvent): void => {
    event.preventDefault();
    if (!busy && !disabled) onSubmit?.();
  };
  const cancel = (event: React.SyntheticEvent): void => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog
      ref={dialog}
      className={`dx-dialog ${wide ? "dx-dialog-wide" : ""}`}
      aria-labelledby={titleId}
      onCancel={cancel}
      // The keys of a dialog are its own, not those of the list below.
      onKeyDown={(event) => event.stopPropagation()}
    >
      <form onSubmit={submit} noValidate>
        <h2 id={titleId}>{title}</h2>
        <div className="dx-dialog-body">
          {problem !== undefined && <ProblemNote problem={problem} />}
          {props.children}
        </div>
        <div className="dx-dialog-buttons">
          <Button onClick={onClose}>{props.close ?? (action === undefined ? "Close" : "Cancel")}</Button>
          {action !== undefined && (
            <Button
              type="submit"
              kind={danger ? "danger" : "primary"}
              disabled={busy || disabled}
              icon={busy ? "spin" : undefined}
            >
              {action}
            </Button>
          )}
        </div>
      </form>
    </dialog>
  );
}
