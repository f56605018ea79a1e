import { useState } from "react";
import type { ComputeEnvironment, Session, Studio } from "../../api/types";
import { Icon } from "../../components/icons";
import { LogViewer } from "../../components/log-viewer";
import { Phases } from "../../components/phases";
import { ProblemBanner } from "../../components/problem";
import { StateBadge } from "../../components/state";
import { Timeline } from "../../components/timeline";
import { useApp } from "../../hooks/app";
import type { LogKind } from "../../hooks/log";
import { usePolled, useReloadOn } from "../../hooks/polled";
import { useNow } from "../../hooks/reach";
import { useRouter, useSetQuery } from "../../hooks/router";
import { dateTime, duration, sentence } from "../../text";

const ended = (session: Session): boolean => session.state === "stopped" || session.state === "errored";

interface SessionsProps {
  studio: Studio;
  environment: ComputeEnvironment | undefined;
}

/** Every run of the studio, with what happened in it and its log, kept after the end. */
export function Sessions({ studio, environment }: SessionsProps) {
  const { client } = useApp();
  const { route } = useRouter();
  const setQuery = useSetQuery();
  const live = studio.session !== null && !ended(studio.session);
  const list = usePolled(
    `sessions ${studio.id}`,
    (signal) => client.sessions(studio.id, signal),
    live ? 10_000 : null,
  );
  useReloadOn(`${studio.session?.id} ${studio.session?.state}`, list.reload);
  const shown = list.data;
  const opened = route.query.get("session");

  if (shown === undefined) {
    return list.problem && list.problem.status !== 0 ? (
      <ProblemBanner problem={list.problem} />
    ) : (
      <div className="st-skeleton" role="status" aria-label="Loading sessions" />
    );
  }
  if (shown.length === 0) {
    return (
      <div className="st-empty st-empty-small">
        <h2>It has not run yet</h2>
        <p>Each run is listed here, with what happened and its log.</p>
      </div>
    );
  }
  return (
    <ul className="st-sessions" aria-label="Sessions">
      {shown.map((session) => (
        <Row
          key={session.id}
          session={session.id === studio.session?.id ? studio.session : session}
          open={session.id === opened}
          hasJob={environment !== undefined && environment.kind !== "local"}
          onToggle={(open) => setQuery({ session: open ? session.id : null })}
        />
      ))}
    </ul>
  );
}

interface RowProps {
  session: Session;
  open: boolean;
  /** It runs where its job has a log of its own. */
  hasJob: boolean;
  onToggle: (open: boolean) => void;
}

function Row({ session, open, hasJob, onToggle }: RowProps) {
  const panel = `session-${session.id}`;
  return (
    <li className="st-session" data-session={session.id}>
      <h3>
        <button
          type="button"
          className="st-session-head"
          aria-expanded={open}
          aria-controls={panel}
          onClick={() => onToggle(!open)}
        >
          <Icon name={open ? "down" : "right"} />
          <span className="st-session-when">{dateTime(session.started_at)}</span>
          <StateBadge state={session.state} />
          <span className="st-session-length">
            {session.ended_at === null ? (
              <Running since={session.started_at} />
            ) : (
              ranFor(session, session.ended_at)
            )}
          </span>
        </button>
      </h3>
      {session.message !== "" && <p className="st-session-message">{sentence(session.message)}</p>}
      <div id={panel} hidden={!open} className="st-session-body">
        {open && <Details session={session} hasJob={hasJob} />}
      </div>
    </li>
  );
}

function ranFor(session: Session, end: string): string {
  const start =
    session.ready_at === null ? "" : `, ready after ${between(session.started_at, session.ready_at)}`;
  return `${between(session.started_at, end)}${start}`;
}

const between = (from: string, to: string): string => duration(Date.parse(to) - Date.parse(from));

function Running({ since }: { since: string }) {
  const now = useNow();
  return <>{duration(now - Date.parse(since))} so far</>;
}

/** Whether its agent came up: before that the job alone can tell what goes on. */
const began = (session: Session): boolean =>
  session.phases.some((phase) => phase.name === "host" && phase.status === "done");

function Details({ session, hasJob }: { session: Session; hasJob: boolean }) {
  const [chosen, choose] = useState<LogKind>();
  const kind = chosen ?? (hasJob && !began(session) ? "job" : "app");
  return (
    <div className="st-session-details">
      <section aria-labelledby={`start-${session.id}`}>
        <h4 id={`start-${session.id}`}>Start</h4>
        <Phases session={session} />
      </section>
      <section aria-labelledby={`events-${session.id}`}>
        <h4 id={`events-${session.id}`}>Events</h4>
        <Timeline session={session.id} live={!ended(session)} />
      </section>
      <section className="st-session-log" aria-labelledby={`log-${session.id}`}>
        <div className="st-log-head">
          <h4 id={`log-${session.id}`}>Log</h4>
          {hasJob && <LogChoice value={kind} onChange={choose} />}
        </div>
        <LogViewer key={kind} session={session.id} kind={kind} live={!ended(session)} />
      </section>
    </div>
  );
}

const LOGS: { kind: LogKind; label: string; what: string }[] = [
  { kind: "app", label: "App", what: "What the app prints" },
  { kind: "job", label: "Job", what: "What the job itself prints: its container and the studio’s agent" },
];

function LogChoice({ value, onChange }: { value: LogKind; onChange: (kind: LogKind) => void }) {
  return (
    <div role="group" aria-label="Which log" className="btn-group btn-group-sm">
      {LOGS.map(({ kind, label, what }) => (
        <button
          key={kind}
          type="button"
          className={`btn btn-outline-secondary ${kind === value ? "active" : ""}`}
          aria-pressed={kind === value}
          title={what}
          onClick={() => onChange(kind)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}
