import { useState } from "react";
import type { ComputeEnvironment, Studio } from "../../api/types";
import { Dialog } from "../../components/dialog";
import { Left } from "../../components/left";
import { Saved } from "../../components/saved";
import { StateBadge } from "../../components/state";
import { useAction } from "../../hooks/action";
import { useApp } from "../../hooks/app";
import { Link } from "../../hooks/router";
import { ForceDialog } from "../studio/situation";
import { NOTICE_SECONDS, names, noticeTo, othersIn } from "../studio/stop-dialog";

interface AdminRowProps {
  studio: Studio;
  environment: ComputeEnvironment | undefined;
  reload: () => void;
}

export function AdminRow({ studio, environment, reload }: AdminRowProps) {
  const [asked, setAsked] = useState<"stop" | "force">();
  const people = studio.session?.people ?? [];
  const close = (): void => setAsked(undefined);
  return (
    <tr data-studio={studio.id}>
      <th scope="row">
        <Link to={`studios/${encodeURIComponent(studio.id)}`}>{studio.name}</Link>
        <small>{environment?.title ?? studio.compute_environment}</small>
      </th>
      <td>{studio.owner}</td>
      <td>
        <StateBadge state={studio.state} />
        {people.length > 0 && <small>{people.join(", ")}</small>}
      </td>
      <td>
        <Saved studio={studio} />
      </td>
      <td>
        <TimeLeft studio={studio} />
      </td>
      <td className="st-number">
        {studio.cost === null ? "–" : studio.cost.toFixed(2)}
        {environment?.price_per_hour != null && (
          <small>{environment.price_per_hour.toFixed(2)} per hour</small>
        )}
      </td>
      <td className="st-table-buttons">
        {studio.may.includes("stop") && (
          <button
            type="button"
            className="btn btn-sm btn-outline-secondary"
            aria-label={`Stop ${studio.name} of ${studio.owner}`}
            onClick={() => setAsked("stop")}
          >
            Stop
          </button>
        )}
        {studio.may.includes("force") && (
          <button
            type="button"
            className="btn btn-sm btn-outline-danger"
            aria-label={`Force ${studio.name} of ${studio.owner} to stop`}
            onClick={() => setAsked("force")}
          >
            Force stop
          </button>
        )}
        {asked === "stop" && <StopDialog studio={studio} reload={reload} onClose={close} />}
        {asked === "force" && <ForceDialog studio={studio} put={reload} onClose={close} />}
      </td>
    </tr>
  );
}

/** Until the lifespan ends, or until a studio that nobody uses is stopped, and why it is kept. */
function TimeLeft({ studio }: { studio: Studio }) {
  const { lifetime } = studio;
  if (lifetime === null) return "–";
  const { ends_at, idle_ends_at } = lifetime;
  const ends = [ends_at, idle_ends_at]
    .filter((at) => at !== null)
    .sort((a, b) => Date.parse(a) - Date.parse(b));
  return (
    <>
      {ends[0] === undefined ? "No end" : <Left until={ends[0]} />}
      <small>{lifetime.verdict === "prompt" ? "Asked: still there?" : lifetime.reasons.join(" ")}</small>
    </>
  );
}

interface StopDialogProps {
  studio: Studio;
  reload: () => void;
  onClose: () => void;
}

function StopDialog({ studio, reload, onClose }: StopDialogProps) {
  const { client, config } = useApp();
  const { busy, problem, run } = useAction();
  const others = othersIn(studio, config.user.name);
  const submit = async (): Promise<void> => {
    if (!(await run(() => client.stop(studio.id, false, noticeTo(studio, config.user.name))))) return;
    reload();
    onClose();
  };
  return (
    <Dialog
      title={`Stop “${studio.name}” of ${studio.owner}?`}
      action="Save and stop"
      busy={busy}
      problem={problem}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>Everything is saved first, and its owner finds it again as it is now. Running programs end.</p>
      {others.length > 0 && (
        <p>
          <strong>In it now: {names(others)}.</strong> They are told, and it stops {NOTICE_SECONDS} seconds
          later.
        </p>
      )}
    </Dialog>
  );
}
