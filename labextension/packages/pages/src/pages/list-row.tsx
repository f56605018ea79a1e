import type { Studio, Template } from "../api/types";
import { Icon, TemplateIcon } from "../components/icons";
import { Left } from "../components/left";
import { Saved } from "../components/saved";
import { StateBadge } from "../components/state";
import { useNow } from "../hooks/reach";
import { Link } from "../hooks/router";
import { PHASE_WORDS, currentPhase } from "../phases";
import { duration, sentence } from "../text";

interface StudioRowProps {
  studio: Studio;
  template: Template | undefined;
  showOwner: boolean;
  busy: boolean;
  onStart: () => void;
  onStop: () => void;
}

export function StudioRow({ studio, template, showOwner, busy, onStart, onStop }: StudioRowProps) {
  const may = new Set(studio.may);
  const title = template?.title ?? studio.template;
  return (
    <li className="st-row" data-studio={studio.id}>
      <TemplateIcon icon={template?.icon ?? ""} title={title} />
      <div className="st-row-what">
        <h2>
          <Link className="st-row-link" to={`studios/${encodeURIComponent(studio.id)}`}>
            {studio.name}
          </Link>
        </h2>
        <p>
          {title}
          {showOwner && (
            <>
              {" · "}
              <Icon name="person" /> <span className="visually-hidden">owner </span>
              {studio.owner}
            </>
          )}
          {studio.description !== "" && <span className="st-row-description"> · {studio.description}</span>}
        </p>
      </div>
      <div className="st-row-state">
        <StateBadge state={studio.state} />
        {studio.state === "starting" && <Phase studio={studio} />}
      </div>
      <div className="st-row-saved">
        <Saved studio={studio} />
      </div>
      <div className="st-row-buttons">
        {may.has("open") && (
          <a className="btn btn-sm btn-primary" href={studio.url} aria-label={`Open ${studio.name}`}>
            <Icon name="open" /> Open
          </a>
        )}
        {may.has("start") && (
          <button
            type="button"
            className="btn btn-sm btn-primary"
            aria-label={`Start ${studio.name}`}
            disabled={busy}
            onClick={onStart}
          >
            <Icon name="play" /> Start
          </button>
        )}
        {may.has("stop") && (
          <button
            type="button"
            className="btn btn-sm btn-outline-secondary"
            aria-label={
              studio.state === "starting" ? `Cancel the start of ${studio.name}` : `Stop ${studio.name}`
            }
            disabled={busy}
            onClick={onStop}
          >
            <Icon name="stop" /> {studio.state === "starting" ? "Cancel" : "Stop"}
          </button>
        )}
      </div>
      {studio.lifetime?.verdict === "prompt" && studio.lifetime.answer_by !== null && (
        <p className="st-row-message">
          <Icon name="clock" /> Still there? It is saved and stopped in{" "}
          <Left until={studio.lifetime.answer_by} />.
        </p>
      )}
      {studio.state === "errored" && studio.message !== "" && (
        <p className="st-row-message">
          <Icon name="warning" /> {sentence(studio.message)}
        </p>
      )}
    </li>
  );
}

function Phase({ studio }: { studio: Studio }) {
  const now = useNow();
  const phase = currentPhase(studio.session?.phases ?? []);
  if (phase?.started_at == null) return null;
  return (
    <span className="st-row-phase">
      {PHASE_WORDS[phase.name].title} · {duration(now - Date.parse(phase.started_at))}
    </span>
  );
}
