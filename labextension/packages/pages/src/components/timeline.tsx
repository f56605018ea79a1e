import type { StudioEvent } from "../api/types";
import { useApp } from "../hooks/app";
import { usePolled } from "../hooks/polled";
import { clockTime, dateTime, sentence } from "../text";
import { Icon, type IconName } from "./icons";
import { ProblemBanner } from "./problem";

const LEVELS: Record<StudioEvent["level"], { icon: IconName; word: string }> = {
  info: { icon: "dot", word: "" },
  warning: { icon: "warning", word: "Warning: " },
  error: { icon: "warning", word: "Error: " },
};

export function Timeline({ session, live }: { session: string; live: boolean }) {
  const { client } = useApp();
  const events = usePolled(
    `events ${session} ${live}`,
    (signal) => client.events(session, signal),
    live ? 3000 : null,
  );
  if (events.data === undefined) {
    return events.problem && events.problem.status !== 0 ? (
      <ProblemBanner problem={events.problem} />
    ) : (
      <div className="st-skeleton" role="status" aria-label="Loading events" />
    );
  }
  if (events.data.length === 0) return <p className="text-body-secondary">Nothing happened yet.</p>;
  return (
    <ol className="st-timeline">
      {events.data.map((event, i) => (
        <li key={i} className={`st-event st-event-${event.level}`}>
          <time dateTime={event.at} title={dateTime(event.at)}>
            {clockTime(event.at)}
          </time>
          <Icon name={LEVELS[event.level].icon} />
          <span>
            <span className="visually-hidden">{LEVELS[event.level].word}</span>
            {sentence(event.message)}
          </span>
        </li>
      ))}
    </ol>
  );
}
