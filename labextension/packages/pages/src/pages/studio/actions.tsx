import { useState, type RefObject } from "react";
import type { Studio } from "../../api/types";
import { Dialog } from "../../components/dialog";
import { Field } from "../../components/field";
import { Icon } from "../../components/icons";
import { ProblemBanner } from "../../components/problem";
import { useAction } from "../../hooks/action";
import { useApp } from "../../hooks/app";
import { useRouter, useSetQuery } from "../../hooks/router";
import { errorsOf, nameError } from "../../forms/values";
import type { Opening } from "./open-when-ready";
import { StopDialog, othersIn } from "./stop-dialog";

interface ActionsProps {
  studio: Studio;
  opening: Opening;
  put: (studio: Studio) => void;
  openRef: RefObject<HTMLAnchorElement | null>;
}

export function Actions({ studio, opening, put, openRef }: ActionsProps) {
  const { client, config } = useApp();
  const setQuery = useSetQuery();
  const { busy, problem, clear, run } = useAction();
  const [dialog, setDialog] = useState<"save" | "delete" | "stop">();
  const others = othersIn(studio, config.user.name);
  const may = new Set(studio.may);
  const start = (open: boolean) =>
    run(async () => {
      opening.want(open);
      put(await client.start(studio.id));
    });
  const close = (): void => setDialog(undefined);
  return (
    <>
      <div className="st-buttons">
        {may.has("open") && (
          <a ref={openRef} className="btn btn-primary" href={studio.url}>
            <Icon name="open" /> Open
          </a>
        )}
        {may.has("start") && (
          <>
            <button
              type="button"
              className="btn btn-primary"
              disabled={busy}
              onClick={() => void start(true)}
            >
              <Icon name="play" /> Start and open
            </button>
            <button
              type="button"
              className="btn btn-outline-primary"
              disabled={busy}
              onClick={() => void start(false)}
            >
              Start
            </button>
          </>
        )}
        {may.has("save") && (
          <button type="button" className="btn btn-outline-secondary" onClick={() => setDialog("save")}>
            <Icon name="save" /> Save now
          </button>
        )}
        {may.has("stop") && (
          <button
            type="button"
            className="btn btn-outline-secondary"
            disabled={busy}
            onClick={() => {
              if (others.length > 0) setDialog("stop");
              else void run(async () => put(await client.stop(studio.id)));
            }}
          >
            <Icon name="stop" /> {studio.state === "starting" ? "Cancel start" : "Stop"}
          </button>
        )}
        {may.has("share") && (
          <button
            type="button"
            className="btn btn-outline-secondary"
            onClick={() => setQuery({ tab: "sharing", session: null })}
          >
            <Icon name="share" /> Share
          </button>
        )}
        {may.has("delete") && (
          <button type="button" className="btn btn-outline-danger" onClick={() => setDialog("delete")}>
            <Icon name="trash" /> Delete
          </button>
        )}
      </div>
      {problem && (
        <div className="st-head-problem">
          <ProblemBanner problem={problem} onDismiss={clear} />
        </div>
      )}
      {dialog === "save" && <SaveDialog studio={studio} onClose={close} />}
      {dialog === "stop" && <StopDialog studio={studio} others={others} put={put} onClose={close} />}
      {dialog === "delete" && <DeleteDialog studio={studio} onClose={close} />}
    </>
  );
}

function SaveDialog({ studio, onClose }: { studio: Studio; onClose: () => void }) {
  const { client, announce } = useApp();
  const { busy, problem, run } = useAction();
  const [name, setName] = useState("");
  const [tried, setTried] = useState(false);
  const atField = problem && errorsOf(problem, ["name"])?.name;
  const submit = async (): Promise<void> => {
    setTried(true);
    if (nameError(name) !== undefined) return;
    if (await run(() => client.save(studio.id, name.trim()))) {
      announce(`Saved as ${name.trim()}`);
      onClose();
    }
  };
  const missing = nameError(name)?.replace("the studio", "it");
  return (
    <Dialog
      title="Save now"
      action={busy ? "Saving…" : "Save"}
      busy={busy}
      problem={atField ? undefined : problem}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>
        Keeps the filesystem of “{studio.name}” as it is now, as a checkpoint that stays beside the others.
      </p>
      <Field label="Name of the checkpoint" error={atField ?? (tried ? missing : undefined)}>
        {(control) => (
          <input
            {...control}
            className="form-control"
            autoComplete="off"
            placeholder="before the clean-up"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
    </Dialog>
  );
}

function DeleteDialog({ studio, onClose }: { studio: Studio; onClose: () => void }) {
  const { client, announce } = useApp();
  const { navigate } = useRouter();
  const { busy, problem, run } = useAction();
  const submit = async (): Promise<void> => {
    if (!(await run(() => client.remove(studio.id)))) return;
    announce(`${studio.name} is deleted`);
    navigate("");
  };
  return (
    <Dialog
      danger
      title={`Delete “${studio.name}”?`}
      action={busy ? "Deleting…" : `Delete “${studio.name}”`}
      busy={busy}
      problem={problem}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>
        The studio, its checkpoints and the logs of its sessions will be gone.{" "}
        <strong>This cannot be undone.</strong>
      </p>
      <p>Studios that were forked from it keep everything they have.</p>
    </Dialog>
  );
}
