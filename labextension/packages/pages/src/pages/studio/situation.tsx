import { useState } from "react";
import type { Session, Studio } from "../../api/types";
import { Dialog } from "../../components/dialog";
import { Icon } from "../../components/icons";
import { Elapsed, Phases } from "../../components/phases";
import { Notice } from "../../components/problem";
import { useAction } from "../../hooks/action";
import { useApp } from "../../hooks/app";
import { usePolled } from "../../hooks/polled";
import { useNow } from "../../hooks/reach";
import { useSetQuery } from "../../hooks/router";
import { ago, count, sentence } from "../../text";
import type { Opening } from "./open-when-ready";

interface SituationProps {
  studio: Studio;
  opening: Opening;
  put: (studio: Studio) => void;
}

/** What goes on right now, and what went wrong: between the header and the tabs. */
export function Situation({ studio, opening, put }: SituationProps) {
  const { session } = studio;
  switch (studio.state) {
    case "starting":
      return <Starting session={session} opening={opening} />;
    case "stopping":
      return <Stopping studio={studio} put={put} />;
    case "errored":
      return <Errored studio={studio} />;
    case "running":
      if (session?.connected !== false)
        // A running session says nothing but what people must know: that its machine is taken back.
        return studio.message === "" ? null : <Notice kind="warning">{sentence(studio.message)}</Notice>;
      return (
        <Notice kind="warning">
          <strong>No contact with the session at the moment.</strong>
          <p>
            It goes on by itself and reports again when the connection is back. “Save now” waits until then.
          </p>
        </Notice>
      );
    case "stopped":
      if (studio.message === "") return null;
      // What the session says of its end is as usual; a message of the studio's own tells of a failure.
      return (
        <Notice kind={studio.message === session?.message ? "secondary" : "warning"}>
          {sentence(studio.message)}
        </Notice>
      );
  }
}

function Starting({ session, opening }: { session: Session | null; opening: Opening }) {
  return (
    <section className="st-panel" aria-labelledby="starting">
      <div className="st-panel-head">
        <h2 id="starting">Starting</h2>
        {session && <Elapsed since={session.started_at} />}
      </div>
      {session && <Phases session={session} />}
      <label className="form-check form-switch st-open-switch">
        <input
          type="checkbox"
          role="switch"
          className="form-check-input"
          checked={opening.wanted}
          onChange={(event) => opening.want(event.target.checked)}
        />
        <span className="form-check-label">Open it when it is ready</span>
      </label>
    </section>
  );
}

function Errored({ studio }: { studio: Studio }) {
  const setQuery = useSetQuery();
  const { session, saved } = studio;
  const failed = session?.phases.some((phase) => phase.status === "failed");
  return (
    <section className="alert alert-danger st-notice" aria-labelledby="errored">
      <Icon name="warning" />
      <div className="st-notice-body">
        <h2 id="errored">{failed ? "The start failed" : "The session ended with an error"}</h2>
        {studio.message !== "" && <p>{sentence(studio.message)}</p>}
        {session && failed && <Phases session={session} />}
        <p className="st-action">
          {saved === null ? "You can start it again." : "You can start it again from there."}
        </p>
        {session && (
          <button
            type="button"
            className="btn btn-sm btn-outline-contrast"
            onClick={() => setQuery({ tab: "sessions", session: session.id })}
          >
            Look at its log
          </button>
        )}
      </div>
    </section>
  );
}

function Stopping({ studio, put }: { studio: Studio; put: (studio: Studio) => void }) {
  const { client } = useApp();
  const [asked, setAsked] = useState(false);
  const session = studio.session?.id;
  const events = usePolled(
    `events ${session}`,
    async (signal) => (session === undefined ? [] : client.events(session, signal)),
    2000,
  );
  const stop = events.data?.find((event) => event.kind === "stop");
  const failures = events.data?.filter(
    (event) => event.kind === "save-failed" && (stop === undefined || event.at >= stop.at),
  );
  const last = failures?.at(-1);
  return (
    <section className="st-panel" aria-labelledby="stopping">
      <div className="st-panel-head">
        <h2 id="stopping">
          <Icon name="spin" /> Saving and stopping…
        </h2>
        {stop && <Elapsed since={stop.at} />}
      </div>
      <p>
        {studio.message === "" ? "The app is ended, then everything is saved." : sentence(studio.message)}
      </p>
      {last && failures && (
        <Notice kind="warning">
          <strong>
            Saving has failed {failures.length === 1 ? "once" : count(failures.length, "time")} so far.
          </strong>
          <p>{sentence(last.message)}</p>
          <p>Nothing is lost: the session waits and tries again until it is saved.</p>
        </Notice>
      )}
      {studio.may.includes("force") && (
        <button type="button" className="btn btn-outline-danger" onClick={() => setAsked(true)}>
          <Icon name="stop" /> Force stop
        </button>
      )}
      {asked && <ForceDialog studio={studio} put={put} onClose={() => setAsked(false)} />}
    </section>
  );
}

interface ForceDialogProps {
  studio: Studio;
  put: (studio: Studio) => void;
  onClose: () => void;
}

export function ForceDialog({ studio, put, onClose }: ForceDialogProps) {
  const { client } = useApp();
  const { busy, problem, run } = useAction();
  const now = useNow();
  const submit = async (): Promise<void> => {
    if (await run(async () => put(await client.stop(studio.id, true)))) onClose();
  };
  return (
    <Dialog
      danger
      title={`Force “${studio.name}” to stop?`}
      action="Stop without saving"
      busy={busy}
      problem={problem}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>
        The session is ended at once, without its last save.{" "}
        <strong>
          {studio.saved === null
            ? "Nothing was saved yet: all its work will be lost."
            : `What was done after the last save, ${ago(studio.saved.saved_at, now)}, will be lost.`}
        </strong>
      </p>
      <p>If the bucket may come back, waiting loses nothing.</p>
    </Dialog>
  );
}
