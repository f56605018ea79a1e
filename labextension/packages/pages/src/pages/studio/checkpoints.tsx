import { useState } from "react";
import type { Checkpoint, Studio } from "../../api/types";
import { Dialog } from "../../components/dialog";
import { Icon } from "../../components/icons";
import { Installed } from "../../components/installed";
import { ProblemBanner } from "../../components/problem";
import { StatusBadge, statusWhy } from "../../components/state";
import { useAction } from "../../hooks/action";
import { useApp } from "../../hooks/app";
import { usePolled, useReloadOn } from "../../hooks/polled";
import { useNow } from "../../hooks/reach";
import { Link } from "../../hooks/router";
import { ago, count, dateTime, sentence, size } from "../../text";
import { CheckpointName } from "./checkpoint-name";

export function Checkpoints({ studio }: { studio: Studio }) {
  const { client } = useApp();
  const list = usePolled(`checkpoints ${studio.id}`, (signal) => client.checkpoints(studio.id, signal), 5000);
  // A save or another state is seen at once; named saves beside the line by the poll.
  const { saved, state } = studio;
  useReloadOn(JSON.stringify([saved?.id, saved?.saved_at, state]), list.reload);
  if (list.data === undefined) {
    return list.problem && list.problem.status !== 0 ? (
      <ProblemBanner problem={list.problem} />
    ) : (
      <div className="st-skeleton" role="status" aria-label="Loading checkpoints" />
    );
  }
  if (list.data.length === 0) {
    return (
      <div className="st-empty st-empty-small">
        <h2>No checkpoint yet</h2>
        <p>
          The first is made when the studio starts; then every few minutes what changed is added, and at the
          stop.
        </p>
      </div>
    );
  }
  return (
    <ul className="st-checkpoints" aria-label="Checkpoints">
      {list.data.map((checkpoint) => (
        <Row key={checkpoint.id} checkpoint={checkpoint} studio={studio} reload={list.reload} />
      ))}
    </ul>
  );
}

interface RowProps {
  checkpoint: Checkpoint;
  studio: Studio;
  reload: () => void;
}

function Row({ checkpoint, studio, reload }: RowProps) {
  const now = useNow(10_000);
  const [deleting, setDeleting] = useState(false);
  const { name, status, saved_at, layers, current, message } = checkpoint;
  return (
    <li className="st-checkpoint" data-checkpoint={checkpoint.id}>
      <div className="st-checkpoint-head">
        <CheckpointName checkpoint={checkpoint} reload={reload} />
        <StatusBadge status={status} />
        {current && (
          <span className="st-badge st-current" title="What the studio’s next start restores">
            <Icon name="right" /> Current
          </span>
        )}
      </div>
      <p className="st-checkpoint-facts">
        Saved <time title={dateTime(saved_at)}>{ago(saved_at, now)}</time> by {checkpoint.author} ·{" "}
        {size(checkpoint.size)} in {count(layers.length, "layer")}
        {checkpoint.root_mode === "home" && " · home folder only"}
      </p>
      {(status === "invalid" || message !== "") && (
        <p className="st-checkpoint-message">
          <Icon name="warning" /> {status === "invalid" && statusWhy(status)} {sentence(message)}
        </p>
      )}
      <Installed packages={checkpoint.installed} />
      <div className="st-checkpoint-buttons">
        {status !== "invalid" && studio.may.includes("fork") && (
          <Link
            className="btn btn-sm btn-outline-secondary"
            to={`new?from_checkpoint=${encodeURIComponent(checkpoint.id)}`}
            aria-label={`Fork ${name}`}
          >
            <Icon name="fork" /> Fork
          </Link>
        )}
        {!current && (
          <button
            type="button"
            className="btn btn-sm btn-outline-secondary"
            aria-label={`Delete ${name}`}
            onClick={() => setDeleting(true)}
          >
            <Icon name="trash" /> Delete
          </button>
        )}
      </div>
      {deleting && (
        <DeleteDialog
          checkpoint={checkpoint}
          onClose={() => setDeleting(false)}
          onDeleted={() => {
            setDeleting(false);
            reload();
          }}
        />
      )}
    </li>
  );
}

interface DeleteDialogProps {
  checkpoint: Checkpoint;
  onClose: () => void;
  onDeleted: () => void;
}

function DeleteDialog({ checkpoint, onClose, onDeleted }: DeleteDialogProps) {
  const { client } = useApp();
  const { busy, problem, run } = useAction();
  const submit = async (): Promise<void> => {
    if (await run(() => client.removeCheckpoint(checkpoint.id))) onDeleted();
  };
  return (
    <Dialog
      danger
      title={`Delete checkpoint “${checkpoint.name}”?`}
      action="Delete"
      busy={busy}
      problem={problem}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>
        It cannot be restored or forked any more. <strong>This cannot be undone.</strong> Layers that other
        checkpoints use stay.
      </p>
    </Dialog>
  );
}
