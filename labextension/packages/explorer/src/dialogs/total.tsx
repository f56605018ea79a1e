import * as React from "react";
import { useExplorer } from "../context";
import { useStream } from "../hooks/use-stream";
import { count, number, size, visible } from "../text";
import type { LinkView, Total } from "../types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { ProblemNote } from "../ui/problem";

interface TotalProps {
  link: LinkView;
  path: string;
  name: string;
  onClose: () => void;
}

/** Counts everything below a folder, with the count so far and a way to stop: stores keep no totals. */
export function TotalDialog({ link, path, name, onClose }: TotalProps) {
  const { client } = useExplorer();
  const stream = useStream<Total>();
  const { start } = stream;
  const begin = React.useCallback(
    () => void start((signal) => client.total(link.id, path, signal)),
    [client, link.id, path, start],
  );
  React.useEffect(begin, [begin]);
  const { files, bytes } = stream.last ?? { files: 0, bytes: 0 };
  const running = stream.state === "running";
  return (
    <Dialog title={`Size of “${visible(name)}”`} onClose={onClose}>
      {stream.problem !== undefined && <ProblemNote problem={stream.problem} onRetry={begin} />}
      <div className="dx-total" aria-busy={running}>
        <strong>{size(bytes)}</strong>
        <span title={`${number(bytes)} bytes`}>
          {count(files, "file")}
          {running ? " so far…" : stream.state === "done" ? "" : " counted until it ended"}
        </span>
        <span className="dx-sr" role="status">
          {running ? "Counting" : `${size(bytes)} in ${count(files, "file")}`}
        </span>
      </div>
      {running && (
        <div className="dx-change">
          <progress className="dx-progress" aria-label="Counting" />
          <Button icon="stop" onClick={stream.stop}>
            Stop
          </Button>
        </div>
      )}
      {stream.state === "stopped" && <Button onClick={begin}>Count again</Button>}
    </Dialog>
  );
}
