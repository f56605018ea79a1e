import * as React from "react";
import { useExplorer } from "../context";
import { useLoad } from "../hooks/use-load";
import type { DataExplorerProps, ExplorerCommands, Place } from "../host";
import { Button } from "../ui/button";
import { Busy, ProblemNote } from "../ui/problem";
import { FolderView } from "./folder-view";

interface BrowserViewProps {
  place: Place;
  onPlace: DataExplorerProps["onPlace"];
  onCommands: (commands: ExplorerCommands) => void;
}

/** A link: it is fetched first, because all else hangs on its rights. */
export function BrowserView({ place, onPlace, onCommands }: BrowserViewProps) {
  const { client } = useExplorer();
  const link = useLoad(place.link, (signal) => client.link(place.link, signal));
  if (link.data !== undefined)
    return <FolderView link={link.data} place={place} onPlace={onPlace} onCommands={onCommands} />;
  if (link.problem === undefined) return <Busy label="Opening the link" />;
  return (
    <div className="dx-broken">
      <ProblemNote problem={link.problem} onRetry={link.reload} />
      <Button icon="back" onClick={() => onPlace(null, { replace: false })}>
        All data links
      </Button>
    </div>
  );
}
