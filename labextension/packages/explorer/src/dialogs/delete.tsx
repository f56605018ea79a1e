import * as React from "react";
import { useExplorer } from "../context";
import { useStream } from "../hooks/use-stream";
import { count, size, visible } from "../text";
import type { Entry, LinkView, Total } from "../types";
import { Dialog } from "../ui/dialog";
import { EntryIcon } from "../ui/icons";
import { Note } from "../ui/problem";
import { ChangeProgress } from "./progress";
import { useChange } from "./use-change";

interface DeleteProps {
  link: LinkView;
  entries: Entry[];
  onClose: () => void;
  /** Something was deleted; `whole`: all of it. */
  onDeleted: (whole: boolean) => void;
}

const NAMED = 5;

/** Names what goes, and counts what lies in the folders, before anything is deleted. */
export function DeleteDialog({ link, entries, onClose, onDeleted }: DeleteProps) {
  const { client } = useExplorer();
  const change = useChange();
  const folders = entries.filter((entry) => entry.kind === "folder");
  const files = entries.length - folders.length;
  const inside = useCounted(link.id, folders);
  const { stop } = inside;
  const submit = (): void => {
    stop();
    void change
      .run([
        (signal) =>
          client.delete(
            link.id,
            entries.map((entry) => entry.path),
            signal,
          ),
      ])
      .then((whole) => {
        onDeleted(whole);
        if (whole) onClose();
      });
  };
  const what = [
    folders.length > 0 && count(folders.length, "folder"),
    files > 0 && count(files, "file"),
  ].filter(Boolean);
  const title =
    entries.length === 1 && entries[0] !== undefined
      ? `Delete “${visible(entries[0].name)}”?`
      : `Delete ${what.join(" and ")}?`;
  return (
    <Dialog
      title={title}
      action={change.running ? "Deleting…" : "Delete"}
      danger
      busy={change.running}
      problem={change.problem}
      close={change.stopped || change.problem !== undefined ? "Close" : "Cancel"}
      onSubmit={submit}
      onClose={() => {
        if (change.running) {
          change.stop();
          onDeleted(false);
        }
        onClose();
      }}
    >
      <ul className="dx-named">
        {entries.slice(0, NAMED).map((entry) => (
          <li key={entry.path}>
            <EntryIcon entry={entry} /> {visible(entry.name)}
            {entry.size !== null && entry.kind === "file" && <small>{size(entry.size)}</small>}
          </li>
        ))}
        {entries.length > NAMED && <li>and {entries.length - NAMED} more</li>}
      </ul>
      {folders.length > 0 && (
        <p role="status">
          {folders.length === 1 ? "The folder holds " : "The folders hold "}
          <strong>{count(inside.files, "file")}</strong>, {size(inside.bytes)}
          {inside.counting ? ", and counting…" : inside.complete ? "." : " or more."}
        </p>
      )}
      <p>This cannot be taken back, unless the bucket keeps versions.</p>
      {change.stopped && <Note kind="warning">Stopped. What was deleted until then is gone.</Note>}
      <ChangeProgress change={change} verb="Deleted" />
    </Dialog>
  );
}

/** Files and bytes below folders, one folder after the other. */
function useCounted(link: string, folders: Entry[]) {
  const { client } = useExplorer();
  const stream = useStream<Total>();
  const [before, setBefore] = React.useState({ files: 0, bytes: 0 });
  const [complete, setComplete] = React.useState(false);
  const [paths] = React.useState(() => folders.map((folder) => folder.path));
  const { start, stop } = stream;
  React.useEffect(() => {
    let going = true;
    const work = async (): Promise<void> => {
      const sum = { files: 0, bytes: 0 };
      for (const path of paths) {
        setBefore({ ...sum });
        let last: Total | undefined;
        const whole = await start(
          (signal) => client.total(link, path, signal),
          (line) => (last = line),
        );
        if (!whole || !going) return;
        sum.files += last?.files ?? 0;
        sum.bytes += last?.bytes ?? 0;
      }
      setComplete(true);
    };
    void work();
    return () => {
      going = false;
    };
  }, [client, link, paths, start]);
  return {
    files: before.files + (stream.last?.files ?? 0),
    bytes: before.bytes + (stream.last?.bytes ?? 0),
    counting: stream.state === "running",
    complete,
    stop,
  };
}
