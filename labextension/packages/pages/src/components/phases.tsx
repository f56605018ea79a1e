import type { Phase, Session } from "../api/types";
import { useNow } from "../hooks/reach";
import { PHASE_WORDS, allPhases } from "../phases";
import { duration, sentence } from "../text";
import { Icon, type IconName } from "./icons";

const STATUS: Record<Phase["status"], { icon: IconName; word: string }> = {
  pending: { icon: "circle", word: "to come" },
  running: { icon: "spin", word: "running" },
  done: { icon: "check", word: "done" },
  failed: { icon: "cross", word: "failed" },
};

function elapsed(phase: Phase, now: number): string {
  if (phase.started_at === null) return "";
  const end = phase.ended_at === null ? now : Date.parse(phase.ended_at);
  return duration(end - Date.parse(phase.started_at));
}

/** A start, phase by phase with times. Ticks while one runs. */
export function Phases({ session }: { session: Session }) {
  const now = useNow(200);
  return (
    <ol className="st-phases" aria-label="Phases of the start">
      {allPhases(session.phases).map((phase) => {
        const { icon, word } = STATUS[phase.status];
        const { title, what } = PHASE_WORDS[phase.name];
        return (
          <li
            key={phase.name}
            className={`st-phase st-phase-${phase.status}`}
            data-phase={phase.name}
            data-status={phase.status}
            aria-current={phase.status === "running" ? "step" : undefined}
          >
            <Icon name={icon} />
            <span className="st-phase-title">
              {title} <span className="visually-hidden">({word})</span>
            </span>
            <span className="st-phase-what">
              {phase.message === "" ? phase.status !== "done" && sentence(what) : sentence(phase.message)}
            </span>
            <span className="st-phase-time">{elapsed(phase, now)}</span>
          </li>
        );
      })}
    </ol>
  );
}

/** Time since the session was asked for. */
export function Elapsed({ since }: { since: string }) {
  const now = useNow(1000);
  return <span className="st-elapsed">{duration(now - Date.parse(since))}</span>;
}
