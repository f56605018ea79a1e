import * as React from "react";
import { useExplorer } from "../context";
import { count, sentence, size } from "../text";
import { Button, IconButton } from "../ui/button";
import { Elided } from "../ui/elided";
import { Icon } from "../ui/icons";
import type { Answer, UploadItem, UploadState } from "./uploads";

/** More lines than this say nothing more; the head counts them all. */
const LINES = 100;
const ORDER: UploadState[] = [
  "taken",
  "failed",
  "running",
  "waiting",
  "queued",
  "done",
  "skipped",
  "cancelled",
];

/** The uploads of this explorer: how far each is, and what to do with those that stopped. */
export function UploadPanel() {
  const { uploads } = useExplorer();
  const items = React.useSyncExternalStore(uploads.subscribe, uploads.snapshot);
  const [open, setOpen] = React.useState(true);
  const running = items.some((item) => ["queued", "running", "waiting"].includes(item.state));
  useLeaveWarning(running);
  if (items.length === 0) return null;
  const sorted = items.length > 1 ? [...items].sort((a, b) => rank(a) - rank(b) || a.id - b.id) : items;
  const taken = items.filter((item) => item.state === "taken");
  return (
    <section className="dx-uploads" aria-label="Uploads">
      <header>
        <h2>
          <span role="status">{headline(items)}</span>
        </h2>
        {items.some((item) => item.state === "failed") && (
          <Button icon="refresh" onClick={() => uploads.retry()}>
            Retry failed
          </Button>
        )}
        {!uploads.settled() && <Button onClick={() => uploads.cancel()}>Cancel all</Button>}
        <IconButton
          icon={open ? "down" : "up"}
          label={open ? "Show less" : "Show more"}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        />
        {uploads.settled() && <IconButton icon="cross" label="Close" onClick={() => uploads.clear()} />}
      </header>
      <Bar items={items} />
      {open && taken.length > 0 && <Taken items={taken} />}
      {open && (
        <ul>
          {sorted.slice(0, LINES).map((item) => (
            <Line key={item.id} item={item} />
          ))}
          {sorted.length > LINES && (
            <li className="dx-upload-rest">and {count(sorted.length - LINES, "more file")}</li>
          )}
        </ul>
      )}
    </section>
  );
}

const rank = (item: UploadItem): number => ORDER.indexOf(item.state);

function headline(items: UploadItem[]): string {
  const many = (state: UploadState): number => items.filter((item) => item.state === state).length;
  const left = many("queued") + many("running") + many("waiting");
  const parts = [];
  if (left > 0) parts.push(`Uploading ${count(left, "file")}`);
  if (many("taken") > 0) parts.push(count(many("taken"), "question"));
  if (many("failed") > 0) parts.push(`${many("failed")} failed`);
  if (many("done") > 0)
    parts.push(left > 0 ? `${many("done")} done` : `${count(many("done"), "file")} uploaded`);
  if (many("skipped") > 0) parts.push(`${many("skipped")} skipped`);
  if (many("cancelled") > 0) parts.push(`${many("cancelled")} cancelled`);
  return parts.join(" · ");
}

function Bar({ items }: { items: UploadItem[] }) {
  const counted = items.filter((item) => !["cancelled", "skipped"].includes(item.state));
  const total = counted.reduce((sum, item) => sum + item.size, 0);
  const sent = counted.reduce((sum, item) => sum + item.sent, 0);
  return (
    <progress className="dx-progress" aria-label="Uploaded" max={Math.max(1, total)} value={sent}>
      {size(sent)} of {size(total)}
    </progress>
  );
}

function Taken({ items }: { items: UploadItem[] }) {
  const { uploads } = useExplorer();
  const [all, setAll] = React.useState(false);
  const first = items[0];
  if (first === undefined) return null;
  const answer = (given: Answer): void => uploads.answer(first.id, given, all);
  return (
    <div className="dx-taken" role="alert">
      <p>
        <Icon name="warning" /> <strong>{first.path}</strong> exists already.
      </p>
      <div className="dx-taken-buttons">
        <Button onClick={() => answer("replace")}>Replace</Button>
        <Button onClick={() => answer("keep")}>Keep both</Button>
        <Button onClick={() => answer("skip")}>Skip</Button>
        {items.length > 1 && (
          <label>
            <input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} /> do so
            for all {items.length}
          </label>
        )}
      </div>
    </div>
  );
}

const WORDS: Record<UploadState, string> = {
  queued: "waits its turn",
  running: "",
  waiting: "tries again soon",
  taken: "exists already",
  done: "done",
  skipped: "skipped",
  failed: "failed",
  cancelled: "cancelled",
};

function Line({ item }: { item: UploadItem }) {
  const { uploads } = useExplorer();
  const open = ["queued", "running", "waiting", "taken"].includes(item.state);
  return (
    <li className={`dx-upload dx-upload-${item.state}`}>
      {item.state === "done" && <Icon name="check" />}
      {item.state === "failed" && <Icon name="warning" />}
      <Elided text={item.name} />
      <span className="dx-upload-word">
        {item.state === "running" ? `${size(item.sent)} of ${size(item.size)}` : WORDS[item.state]}
      </span>
      {item.state === "failed" && (
        <IconButton icon="refresh" label={`Retry ${item.name}`} onClick={() => uploads.retry(item.id)} />
      )}
      {open && (
        <IconButton icon="cross" label={`Cancel ${item.name}`} onClick={() => uploads.cancel(item.id)} />
      )}
      {item.state === "running" && (
        <progress
          className="dx-progress"
          aria-label={item.name}
          max={Math.max(1, item.size)}
          value={item.sent}
        />
      )}
      {item.problem !== undefined && (
        <p className="dx-upload-problem">
          {sentence(item.problem.title)} {sentence(item.problem.detail)}
        </p>
      )}
    </li>
  );
}

/** Leaving the page would end what runs: the browser asks first. */
function useLeaveWarning(running: boolean): void {
  React.useEffect(() => {
    if (!running) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [running]);
}
