import { useModal } from "@jupyterhub-studios/explorer";
import { useId, type ReactNode, type SyntheticEvent } from "react";
import type { Problem } from "../api/types";
import { ProblemBanner } from "./problem";

interface DialogProps {
  title: string;
  action: string;
  danger?: boolean;
  busy?: boolean;
  problem?: Problem | undefined;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** A modal question. The browser's own <dialog> traps the focus, closes on Escape and gives the focus back. */
export function Dialog({ title, action, danger, busy, problem, onSubmit, onClose, children }: DialogProps) {
  const dialog = useModal();
  const titleId = useId();
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (!busy) onSubmit();
  };
  const cancel = (event: SyntheticEvent): void => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog ref={dialog} className="st-dialog" aria-labelledby={titleId} onCancel={cancel}>
      <form onSubmit={submit}>
        <h2 id={titleId}>{title}</h2>
        <div className="st-dialog-body">
          {problem && <ProblemBanner problem={problem} />}
          {children}
        </div>
        <div className="st-dialog-buttons">
          <button type="button" className="btn btn-outline-secondary" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className={`btn ${danger ? "btn-danger" : "btn-primary"}`} disabled={busy}>
            {action}
          </button>
        </div>
      </form>
    </dialog>
  );
}
