import * as React from "react";
import { Crumbs } from "../browser/crumbs";
import { useExplorer } from "../context";
import { useListing } from "../hooks/use-listing";
import { nameOf, parentOf } from "../paths";
import { count, visible } from "../text";
import type { Entry, LinkView } from "../types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Check } from "../ui/field";
import { Icon } from "../ui/icons";
import { ProblemNote } from "../ui/problem";
import { ChangeProgress } from "./progress";
import { isTaken } from "./rename";
import { useChange } from "./use-change";

interface MoveProps {
  link: LinkView;
  entries: Entry[];
  from: string;
  onClose: () => void;
  onMoved: (whole: boolean) => void;
}

/** Asks for the folder to move to, with a small browser of the link's folders. */
export function MoveDialog({ link, entries, from, onClose, onMoved }: MoveProps) {
  const { client } = useExplorer();
  const [target, setTarget] = React.useState(from);
  const [replace, setReplace] = React.useState(false);
  const change = useChange();
  const fault = moveFault(entries, target);
  const submit = (): void => {
    if (fault !== undefined) return;
    const steps = entries.map((entry) => (signal: AbortSignal) => {
      const to = target + nameOf(entry.path) + (entry.kind === "folder" ? "/" : "");
      return client.move(link.id, entry.path, to, replace, signal);
    });
    void change.run(steps).then((whole) => {
      onMoved(whole);
      if (whole) onClose();
    });
  };
  const what =
    entries.length === 1 && entries[0] !== undefined
      ? `“${visible(entries[0].name)}”`
      : count(entries.length, "item");
  return (
    <Dialog
      title={`Move ${what}`}
      action="Move here"
      busy={change.running}
      disabled={fault !== undefined}
      problem={change.problem}
      onSubmit={submit}
      onClose={() => {
        if (change.running) {
          change.stop();
          onMoved(false);
        }
        onClose();
      }}
    >
      <FolderPicker link={link} path={target} onPath={setTarget} />
      {fault !== undefined && target !== from && <p className="dx-field-error">{fault}</p>}
      {isTaken(change.problem) && (
        <Check label="Replace what is there" checked={replace} onChange={setReplace} />
      )}
      <ChangeProgress change={change} verb="Moved" />
    </Dialog>
  );
}

function moveFault(entries: Entry[], target: string): string | undefined {
  for (const entry of entries) {
    if (parentOf(entry.path) === target) return "It is in this folder already";
    if (entry.kind === "folder" && target.startsWith(entry.path))
      return "A folder cannot be moved into itself";
  }
  return undefined;
}

interface FolderPickerProps {
  link: LinkView;
  path: string;
  onPath: (path: string) => void;
}

function FolderPicker({ link, path, onPath }: FolderPickerProps) {
  const { client } = useExplorer();
  const listing = useListing(client, link.id, path, "");
  const folders = listing.items.filter((entry) => entry.kind === "folder");
  const { more, loading, problem, loadMore } = listing;
  // Files fill pages too: go on until there are some folders to choose from, but not through a million files.
  React.useEffect(() => {
    if (more && !loading && problem === undefined && folders.length < 20 && listing.items.length < 5000)
      loadMore();
  }, [more, loading, problem, folders.length, listing.items.length, loadMore]);
  return (
    <div className="dx-picker">
      <Crumbs link={link} path={path} onPath={onPath} />
      <ul aria-label="Folders" aria-busy={loading}>
        {folders.map((folder) => (
          <li key={folder.path}>
            <button type="button" onClick={() => onPath(folder.path)}>
              <Icon name="folder" className="dx-kind-folder" /> {visible(folder.name)}
            </button>
          </li>
        ))}
        {folders.length === 0 && !loading && problem === undefined && (
          <li className="dx-picker-none">No folders {more ? "among the first rows" : "here"}</li>
        )}
        {more && !loading && (
          <li>
            <Button onClick={loadMore}>Look further</Button>
          </li>
        )}
      </ul>
      {problem !== undefined && <ProblemNote problem={problem} onRetry={loadMore} />}
    </div>
  );
}
