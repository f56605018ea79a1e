import { useRested } from "@jupyterhub-studios/explorer";
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useLog, type LogKind } from "../hooks/log";
import { count } from "../text";
import { Icon } from "./icons";
import { MATCHES_MAX, pieces, plain, tail } from "./log-text";
import { ProblemBanner } from "./problem";

const LINES = 5000;

interface LogViewerProps {
  session: string;
  kind: LogKind;
  live: boolean;
}

/** A session's log: paged in, followed while the session lives, searched. */
export function LogViewer({ session, kind, live }: LogViewerProps) {
  const [follow, setFollow] = useState(live);
  const [all, setAll] = useState(false);
  const [word, setWord] = useState("");
  const [at, setAt] = useState(0);
  const log = useLog(session, kind, follow && live);
  const box = useRef<HTMLPreElement>(null);
  const followId = useId();

  const shown = useMemo(() => {
    const text = plain(log.text);
    return all ? { text, hidden: 0 } : tail(text, LINES);
  }, [log.text, all]);
  const rested = useRested(word, 200);
  const found = useMemo(() => pieces(shown.text, rested), [shown.text, rested]);
  const current = found.matches === 0 ? -1 : ((at % found.matches) + found.matches) % found.matches;

  useEffect(() => {
    if (follow && live && rested === "" && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, live, rested, shown.text]);
  useEffect(() => {
    const mark = box.current?.querySelector<HTMLElement>("mark.st-match-current");
    if (mark && box.current) box.current.scrollTop = mark.offsetTop - box.current.clientHeight / 2;
  }, [current, rested]);

  const step = (event: KeyboardEvent): void => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    setAt(current + (event.shiftKey ? -1 : 1));
  };

  return (
    <div className="st-log">
      <div className="st-log-bar">
        <div className="st-search">
          <Icon name="search" />
          <input
            type="search"
            className="form-control form-control-sm"
            placeholder="Search in the log"
            aria-label="Search in the log"
            value={word}
            onChange={(event) => {
              setWord(event.target.value);
              setAt(0);
            }}
            onKeyDown={step}
          />
        </div>
        {rested !== "" && (
          <span className="st-log-matches" role="status">
            {found.matches === 0
              ? "No match"
              : `${current + 1} of ${found.matches}${found.matches === MATCHES_MAX ? "+" : ""}`}
          </span>
        )}
        {found.matches > 1 && (
          <>
            <button
              type="button"
              className="btn btn-sm st-quiet"
              aria-label="Match before"
              onClick={() => setAt(current - 1)}
            >
              <Icon name="up" />
            </button>
            <button
              type="button"
              className="btn btn-sm st-quiet"
              aria-label="Next match"
              onClick={() => setAt(current + 1)}
            >
              <Icon name="down" />
            </button>
          </>
        )}
        {live && (
          <label className="form-check form-switch" htmlFor={followId}>
            <input
              id={followId}
              type="checkbox"
              role="switch"
              className="form-check-input"
              checked={follow}
              onChange={(event) => setFollow(event.target.checked)}
            />
            <span className="form-check-label">Follow</span>
          </label>
        )}
      </div>
      {log.problem && log.problem.status !== 0 && <ProblemBanner problem={log.problem} />}
      {shown.hidden > 0 && (
        <button type="button" className="btn btn-sm btn-link" onClick={() => setAll(true)}>
          Show the {count(shown.hidden, "line")} before
        </button>
      )}
      {/* Scrollable by keyboard, so it has to take the focus. */}
      <pre ref={box} className="st-log-text" tabIndex={0} role="region" aria-label="Log text">
        {found.pieces.map((piece, i) =>
          piece.match === undefined ? (
            piece.text
          ) : (
            <mark key={i} className={piece.match === current ? "st-match-current" : ""}>
              {piece.text}
            </mark>
          ),
        )}
        {log.text === "" && !log.loading && (
          <span className="text-body-secondary">Nothing was written yet.</span>
        )}
        {log.loading && log.text === "" && log.problem === undefined && (
          <span className="text-body-secondary">Loading…</span>
        )}
      </pre>
      {log.hasMore && (
        <button type="button" className="btn btn-sm btn-outline-secondary" onClick={log.more}>
          Load more
        </button>
      )}
    </div>
  );
}
