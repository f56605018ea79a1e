import { useState } from "react";
import { toProblem } from "../api/problems";
import type { MountSpec, MountStatus, MountView, Problem, Studio } from "../api/types";
import { Icon } from "../components/icons";
import { Notice, ProblemBanner } from "../components/problem";
import { useApp } from "../hooks/app";
import { usePolled, useReloadOn } from "../hooks/polled";
import { useNow } from "../hooks/reach";
import { ago, count, size } from "../text";
import { Estimate } from "./estimate";
import { MountsField } from "./field";
import { mountsError } from "./names";
import { Access } from "./words";

interface DataTabProps {
  studio: Studio;
  put: (studio: Studio) => void;
}

/** The studio's mounts: how they are while it runs, and what they will be when it rests. */
export function DataTab({ studio, put }: DataTabProps) {
  const resting = studio.state === "stopped" || studio.state === "errored";
  return resting ? <Choose key={studio.id} studio={studio} put={put} /> : <Live studio={studio} />;
}

function Choose({ studio, put }: DataTabProps) {
  const { client, announce } = useApp();
  const [mounts, setMounts] = useState<MountSpec[]>(studio.mounts);
  const [problem, setProblem] = useState<Problem>();
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const changed = JSON.stringify(mounts) !== JSON.stringify(studio.mounts);
  const save = async (): Promise<void> => {
    const found = mountsError(mounts);
    setProblem(undefined);
    setError(found);
    if (found !== undefined) return;
    setBusy(true);
    try {
      await client.changeMounts(studio.id, mounts);
      put(await client.studio(studio.id));
      announce("The mounts are saved");
    } catch (failure) {
      setProblem(toProblem(failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className="st-panel">
      {problem && <ProblemBanner problem={problem} onDismiss={() => setProblem(undefined)} />}
      <MountsField
        mounts={mounts}
        environment={studio.compute_environment}
        error={error}
        onChange={(next) => {
          setMounts(next);
          setError(undefined);
        }}
      />
      <div className="st-submit">
        {changed && (
          <button type="button" className="btn btn-link" onClick={() => setMounts(studio.mounts)}>
            Undo
          </button>
        )}
        <button
          type="button"
          className="btn btn-primary"
          disabled={busy || !changed}
          onClick={() => void save()}
        >
          Save mounts
        </button>
      </div>
    </section>
  );
}

function Live({ studio }: { studio: Studio }) {
  const { client } = useApp();
  const found = usePolled(`mounts ${studio.id}`, () => client.mounts(studio.id), 10_000);
  useReloadOn(studio.state, found.reload);
  if (studio.mounts.length === 0)
    return (
      <section className="st-panel">
        <p>
          No data is mounted. Stop the studio to add some; the Data Explorer reaches all of yours without.
        </p>
      </section>
    );
  return (
    <section className="st-panel">
      {found.problem && found.problem.status !== 0 && <ProblemBanner problem={found.problem} />}
      <ul className="st-mount-list">
        {found.data?.items.map((mount) => (
          <LiveMount key={mount.name} studio={studio} mount={mount} onAsked={found.reload} />
        ))}
      </ul>
      <p className="st-hint">
        <Icon name="info" /> What is mounted can be changed while the studio is stopped.
        {found.data && ` A folder's listing is at most ${found.data.listing_seconds} seconds old.`}
      </p>
    </section>
  );
}

interface LiveMountProps {
  studio: Studio;
  mount: MountView;
  onAsked: () => void;
}

function LiveMount({ studio, mount, onAsked }: LiveMountProps) {
  const { client } = useApp();
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const status = mount.status;
  const refresh = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await client.refreshMount(studio.id, mount.name);
      setTimeout(onAsked, 1000);
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <li className="st-mount" aria-label={mount.name}>
      <div className="st-mount-head">
        <code>{mount.folder}</code>
        <span className="text-body-secondary">{mount.url ?? mount.link}</span>
        {status?.state === "mounted" && (
          <button
            type="button"
            className="btn btn-sm btn-outline-secondary"
            aria-label={`Refresh ${mount.name}`}
            disabled={busy || studio.state !== "running"}
            onClick={() => void refresh()}
          >
            <Icon name="refresh" /> Refresh
          </button>
        )}
      </div>
      <Access mount={mount} />
      {status !== null && <Health status={status} />}
      {mount.warning !== "" && <Estimate mount={mount} />}
      {problem && <ProblemBanner problem={problem} onDismiss={() => setProblem(undefined)} />}
    </li>
  );
}

function Health({ status }: { status: MountStatus }) {
  const now = useNow();
  if (status.state === "failed")
    return (
      <Notice kind="warning">
        <strong>It is not mounted.</strong>
        <p>{status.message}</p>
        <p>The Data Explorer and fsspec still reach the data.</p>
      </Notice>
    );
  return (
    <>
      <p className="text-body-secondary">
        {status.state === "mounting" && "Being mounted."}
        {status.listed_at !== null && `Listed anew ${ago(status.listed_at, now)}. `}
        {status.state === "mounted" &&
          (status.waiting_files === 0
            ? "Nothing waits to be uploaded."
            : `${count(status.waiting_files, "file")} (${size(status.waiting_bytes)}) still to be uploaded.`)}
      </p>
      {status.failing_files > 0 && (
        <Notice kind="warning">
          {count(status.failing_files, "upload")} failed and {status.failing_files === 1 ? "is" : "are"} tried
          again.
        </Notice>
      )}
      {status.message !== "" && <Notice kind="warning">{status.message}</Notice>}
    </>
  );
}
