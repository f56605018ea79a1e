import { useEffect, useRef, type ReactNode } from "react";
import type { Problem } from "../api/types";
import { sentence } from "../text";
import { Icon } from "./icons";

interface ProblemBannerProps {
  problem: Problem;
  onDismiss?: () => void;
  children?: ReactNode;
}

/** A problem as people need it: what happened, why, and what to do. */
export function ProblemBanner({ problem, onDismiss, children }: ProblemBannerProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.scrollIntoView({ block: "nearest" });
  }, [problem]);
  return (
    <div className="alert alert-danger st-notice" role="alert" ref={box}>
      <Icon name="warning" />
      <div className="st-notice-body">
        <strong>{sentence(problem.title)}</strong>
        {problem.detail !== "" && <p>{sentence(problem.detail)}</p>}
        {problem.action !== "" && <p className="st-action">{sentence(problem.action)}</p>}
        {children}
        {problem.status === 401 && (
          <button type="button" className="btn btn-sm btn-danger" onClick={() => location.reload()}>
            Sign in again
          </button>
        )}
      </div>
      {onDismiss && <button type="button" className="btn-close" aria-label="Dismiss" onClick={onDismiss} />}
    </div>
  );
}

interface NoticeProps {
  kind?: "info" | "warning" | "secondary";
  children: ReactNode;
}

export function Notice({ kind = "info", children }: NoticeProps) {
  return (
    <div className={`alert alert-${kind} st-notice`}>
      <Icon name={kind === "warning" ? "warning" : "info"} />
      <div className="st-notice-body">{children}</div>
    </div>
  );
}
