import { useRef, useState, type SyntheticEvent } from "react";
import { toProblem } from "../../api/problems";
import type { ComputeEnvironment, Problem, Studio, StudioChanges } from "../../api/types";
import { Icon } from "../../components/icons";
import { Notice, ProblemBanner } from "../../components/problem";
import { EnvironmentFields, NameFields, ResourceFields } from "../../forms/fields";
import { LocalNotice } from "../../forms/place";
import {
  check,
  errorsOf,
  focusError,
  parseValues,
  valuesOf,
  type Errors,
  type Values,
} from "../../forms/values";
import { useApp } from "../../hooks/app";
import { usePolled } from "../../hooks/polled";
import { Link } from "../../hooks/router";
import { dateTime } from "../../text";

const FIELDS = ["name", "description", "cpus", "memory_mib", "lifespan_hours", "environment"] as const;

interface SettingsProps {
  studio: Studio;
  environment: ComputeEnvironment | undefined;
  put: (studio: Studio) => void;
}

export function Settings({ studio, environment, put }: SettingsProps) {
  return (
    <div className="st-settings">
      <EditForm studio={studio} environment={environment} put={put} />
      <Kept studio={studio} environment={environment} />
    </div>
  );
}

/** What differs between the form and the studio, in the API's words. */
function changesOf(values: Values, studio: Studio): StudioChanges {
  const [given, before] = [parseValues(values), parseValues(valuesOf(studio))];
  return Object.fromEntries(
    Object.entries(given).filter(
      ([field, value]) => JSON.stringify(value) !== JSON.stringify(before[field as keyof typeof before]),
    ),
  );
}

function EditForm({ studio, environment, put }: SettingsProps) {
  const { client, announce } = useApp();
  const form = useRef<HTMLFormElement>(null);
  const [values, setValues] = useState(() => valuesOf(studio));
  const [errors, setErrors] = useState<Errors>({});
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const [saved, setSaved] = useState(false);
  const resting = studio.state === "stopped" || studio.state === "errored";
  const changes = changesOf(values, studio);
  const changed = Object.keys(changes).length > 0;

  const change = (part: Partial<Values>): void => {
    setValues((old) => ({ ...old, ...part }));
    setErrors({});
    setSaved(false);
  };
  const show = (found: Errors): void => {
    setErrors(found);
    setTimeout(() => focusError(form.current, found));
  };
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    const found = check(values, environment);
    setProblem(undefined);
    if (Object.keys(found).length > 0) return show(found);
    setBusy(true);
    try {
      const changedStudio = await client.change(studio.id, changes);
      put(changedStudio);
      setValues(valuesOf(changedStudio));
      setSaved(true);
      announce("The settings are saved");
    } catch (error) {
      const told = toProblem(error);
      const atField = errorsOf(told, FIELDS);
      if (atField) show(atField);
      else setProblem(told);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form ref={form} className="st-panel st-form" noValidate onSubmit={(event) => void submit(event)}>
      {problem && <ProblemBanner problem={problem} onDismiss={() => setProblem(undefined)} />}
      <NameFields values={values} errors={errors} onChange={change} />
      {!resting && (
        <p className="st-hint">
          <Icon name="info" /> What follows can be changed while the studio is stopped.
        </p>
      )}
      <ResourceFields
        values={values}
        errors={errors}
        environment={environment}
        disabled={!resting}
        onChange={change}
      />
      <EnvironmentFields values={values} errors={errors} disabled={!resting} onChange={change} />
      <div className="st-submit">
        <span className="text-body-secondary">{saved && !changed && "Saved."}</span>
        {changed && (
          <button type="button" className="btn btn-link" onClick={() => setValues(valuesOf(studio))}>
            Undo
          </button>
        )}
        <button type="submit" className="btn btn-primary" disabled={busy || !changed}>
          Save settings
        </button>
      </div>
    </form>
  );
}

function Kept({ studio, environment }: { studio: Studio; environment: ComputeEnvironment | undefined }) {
  return (
    <section className="st-panel" aria-labelledby="kept">
      <h2 id="kept">What is kept</h2>
      {studio.root_mode === null && <p>Known after the first start.</p>}
      {studio.root_mode === "overlay" && (
        <p>
          <strong>The whole filesystem.</strong> What you install with pip or apt, what you write anywhere and
          what you delete is saved. Running programs and their memory are not.
        </p>
      )}
      {studio.root_mode === "home" && (
        <Notice kind="warning">
          <strong>Only the home folder.</strong>
          <p>
            This place does not allow sessions a filesystem of their own (it needs overlay mounts, or FUSE and
            user namespaces), so what lies outside of the home folder is not saved.
          </p>
        </Notice>
      )}
      {environment?.kind === "local" && <LocalNotice />}
      <dl className="st-dl">
        <dt>Made</dt>
        <dd>{dateTime(studio.created_at)}</dd>
        {studio.forked_from !== null && (
          <>
            <dt>Forked from</dt>
            <dd>
              <ForkedFrom checkpoint={studio.forked_from} />
            </dd>
          </>
        )}
        <dt>Server name</dt>
        <dd>
          <code>
            {studio.owner}/{studio.server_name}
          </code>
        </dd>
        <dt>Id</dt>
        <dd>
          <code>{studio.id}</code>
        </dd>
      </dl>
    </section>
  );
}

function ForkedFrom({ checkpoint }: { checkpoint: string }) {
  const { client } = useApp();
  const source = usePolled(`source ${checkpoint}`, async () => {
    const found = await client.checkpoint(checkpoint);
    return { found, studio: await client.studio(found.studio_id) };
  });
  if (source.problem?.status === 404) return <>a checkpoint that is deleted by now</>;
  if (source.data === undefined) return <code>{checkpoint}</code>;
  const { found, studio } = source.data;
  return (
    <>
      checkpoint “{found.name}” of <Link to={`studios/${encodeURIComponent(studio.id)}`}>{studio.name}</Link>
    </>
  );
}
