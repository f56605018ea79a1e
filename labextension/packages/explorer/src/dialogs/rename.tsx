import * as React from "react";
import { useExplorer } from "../context";
import { useAction } from "../hooks/use-action";
import { nameFault, parentOf } from "../paths";
import type { Entry, LinkView, Problem } from "../types";
import { Dialog } from "../ui/dialog";
import { Check, Field } from "../ui/field";
import { ChangeProgress } from "./progress";
import { useChange } from "./use-change";

interface RenameProps {
  link: LinkView;
  entry: Entry;
  onClose: () => void;
  onRenamed: (renamed: Entry) => void;
  /** It ended in the middle: nobody knows what is there now. */
  onBroken: () => void;
}

export function RenameDialog({ link, entry, onClose, onRenamed, onBroken }: RenameProps) {
  const { client } = useExplorer();
  const [name, setName] = React.useState(entry.name);
  const [replace, setReplace] = React.useState(false);
  const change = useChange();
  const fault = nameFault(name);
  const taken = isTaken(change.problem);
  const submit = (): void => {
    if (fault !== undefined) return;
    if (name === entry.name) {
      onClose();
      return;
    }
    const path = parentOf(entry.path) + name + (entry.kind === "folder" ? "/" : "");
    void change.run([(signal) => client.move(link.id, entry.path, path, replace, signal)]).then((whole) => {
      if (!whole) {
        onBroken();
        return;
      }
      onRenamed({ ...entry, name, path });
      onClose();
    });
  };
  return (
    <Dialog
      title={`Rename the ${entry.kind}`}
      action="Rename"
      busy={change.running}
      problem={change.problem}
      onSubmit={submit}
      onClose={() => {
        if (change.running) {
          change.stop();
          onBroken();
        }
        onClose();
      }}
    >
      <Field
        label="New name"
        error={name === entry.name ? undefined : fault}
        help={
          entry.kind === "folder" && link.provider !== "folder"
            ? "Stores have no folders to rename: every file below it is copied to its new name, and the old one deleted."
            : undefined
        }
      >
        {(control) => (
          <input
            {...control}
            value={name}
            spellCheck={false}
            onChange={(event) => setName(event.target.value)}
            onFocus={(event) => {
              const dot = entry.kind === "file" ? entry.name.indexOf(".", 1) : -1;
              event.target.setSelectionRange(0, dot === -1 ? entry.name.length : dot);
            }}
          />
        )}
      </Field>
      {taken && <Check label="Replace what is there" checked={replace} onChange={setReplace} />}
      <ChangeProgress change={change} verb="Renamed" />
    </Dialog>
  );
}

export const isTaken = (problem: Problem | undefined): boolean =>
  problem?.status === 409 || problem?.status === 412;

interface NewFolderProps {
  link: LinkView;
  path: string;
  onClose: () => void;
  onMade: (entry: Entry) => void;
}

export function NewFolderDialog({ link, path, onClose, onMade }: NewFolderProps) {
  const { client } = useExplorer();
  const [name, setName] = React.useState("");
  const [tried, setTried] = React.useState(false);
  const { busy, problem, run } = useAction();
  const fault = nameFault(name);
  const submit = (): void => {
    setTried(true);
    if (fault !== undefined) return;
    void run(async () => onMade(await client.makeFolder(link.id, `${path}${name}/`))).then(
      (done) => done && onClose(),
    );
  };
  return (
    <Dialog
      title="New folder"
      action="Make"
      busy={busy}
      problem={problem}
      onClose={onClose}
      onSubmit={submit}
    >
      <Field label="Name" error={tried || name !== "" ? fault : undefined}>
        {(control) => (
          <input
            {...control}
            value={name}
            spellCheck={false}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
    </Dialog>
  );
}
