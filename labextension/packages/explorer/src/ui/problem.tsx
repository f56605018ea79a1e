import * as React from "react";
import { sentence } from "../text";
import type { Problem } from "../types";
import { Button, IconButton } from "./button";
import { Icon } from "./icons";

interface ProblemProps {
  problem: Problem;
  onRetry?: (() => void) | undefined;
  onDismiss?: (() => void) | undefined;
}

/** A problem as people need it: what happened, why, and what to do. */
export function ProblemNote({ problem, onRetry, onDismiss }: ProblemProps) {
  return (
    <div className="dx-note dx-note-error" role="alert">
      <Icon name="warning" />
      <div className="dx-note-body">
        <strong>{sentence(problem.title)}</strong>
        {problem.detail !== "" && <p>{sentence(problem.detail)}</p>}
        {problem.action !== "" && <p>{sentence(problem.action)}</p>}
        {problem.status === 401 ? (
          <Button kind="danger" onClick={() => location.reload()}>
            Sign in again
          </Button>
        ) : (
          onRetry && (
            <Button icon="refresh" onClick={onRetry}>
              Try again
            </Button>
          )
        )}
      </div>
      {onDismiss && <IconButton icon="cross" label="Dismiss" onClick={onDismiss} />}
    </div>
  );
}

export function Note({ children, kind = "info" }: { children: React.ReactNode; kind?: "info" | "warning" }) {
  return (
    <div className={`dx-note dx-note-${kind}`}>
      <Icon name={kind} />
      <div className="dx-note-body">{children}</div>
    </div>
  );
}

interface EmptyProps {
  icon?: React.ReactNode;
  title: string;
  children?: React.ReactNode;
}

export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div className="dx-empty">
      {icon !== undefined && <span className="dx-empty-mark">{icon}</span>}
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Busy({ label }: { label: string }) {
  return (
    <div className="dx-busy" role="status">
      <Icon name="spin" /> {label}
    </div>
  );
}
