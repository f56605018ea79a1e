import { useEffect, useId, useRef, useState, type KeyboardEvent, type SyntheticEvent } from "react";
import type { Checkpoint } from "../../api/types";
import { Icon } from "../../components/icons";
import { nameError } from "../../forms/values";
import { useAction } from "../../hooks/action";
import { useApp } from "../../hooks/app";
import { sentence } from "../../text";

interface CheckpointNameProps {
  checkpoint: Checkpoint;
  reload: () => void;
}

/** A checkpoint's name, renamed in place: Enter saves, Escape leaves it. */
export function CheckpointName({ checkpoint, reload }: CheckpointNameProps) {
  const [editing, setEditing] = useState(false);
  const pencil = useRef<HTMLButtonElement>(null);
  const wasEditing = useRef(false);
  useEffect(() => {
    if (wasEditing.current && !editing) pencil.current?.focus();
    wasEditing.current = editing;
  }, [editing]);
  if (editing) return <NameForm checkpoint={checkpoint} reload={reload} onClose={() => setEditing(false)} />;
  return (
    <span className="st-checkpoint-name">
      <h3>{checkpoint.name}</h3>
      <button
        ref={pencil}
        type="button"
        className="btn btn-sm st-quiet"
        aria-label={`Rename ${checkpoint.name}`}
        onClick={() => setEditing(true)}
      >
        <Icon name="edit" />
      </button>
    </span>
  );
}

interface NameFormProps {
  checkpoint: Checkpoint;
  reload: () => void;
  onClose: () => void;
}

function NameForm({ checkpoint, reload, onClose }: NameFormProps) {
  const { client } = useApp();
  const { busy, problem, run } = useAction();
  const [name, setName] = useState(checkpoint.name);
  const input = useRef<HTMLInputElement>(null);
  const errorId = useId();
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  const wrong = nameError(name)?.replace("the studio", "it");
  const error = wrong ?? (problem && `${sentence(problem.title)} ${sentence(problem.action)}`);
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    if (wrong !== undefined || busy) return;
    if (name.trim() !== checkpoint.name) {
      if (!(await run(() => client.renameCheckpoint(checkpoint.id, name.trim())))) return;
      reload();
    }
    onClose();
  };
  const escape = (event: KeyboardEvent): void => {
    if (event.key === "Escape") onClose();
  };
  return (
    <form className="st-rename" onSubmit={(event) => void submit(event)} onKeyDown={escape}>
      <input
        ref={input}
        className="form-control form-control-sm"
        aria-label={`New name of ${checkpoint.name}`}
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? errorId : undefined}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <button type="submit" className="btn btn-sm btn-primary" disabled={busy}>
        Rename
      </button>
      <button type="button" className="btn btn-sm btn-outline-secondary" onClick={onClose}>
        Cancel
      </button>
      {error && (
        <span id={errorId} className="st-field-error" role="alert">
          {error}
        </span>
      )}
    </form>
  );
}
