import * as React from "react";
import { BrowserView } from "./browser/browser-view";
import type { DataExplorerProps, ExplorerCommands } from "./host";
import { LinksView } from "./links/links-view";
import { ExplorerRoot } from "./root";
import { UploadPanel } from "./transfers/panel";

/** The whole explorer: the list of links, or a folder of one of them. */
export function DataExplorer(props: DataExplorerProps): React.JSX.Element {
  const { client, host, place, onPlace, layout = "wide", onCommands } = props;
  const tell = React.useCallback((commands: ExplorerCommands) => onCommands?.(commands), [onCommands]);
  React.useEffect(() => () => onCommands?.(null), [onCommands]);
  return (
    <ExplorerRoot client={client} host={host} compact={layout === "compact"}>
      {place === null ? (
        <LinksView
          onOpen={(link) => onPlace({ link: link.id, path: "" }, { replace: false })}
          onCommands={tell}
        />
      ) : (
        <BrowserView key={place.link} place={place} onPlace={onPlace} onCommands={tell} />
      )}
      <UploadPanel />
    </ExplorerRoot>
  );
}
