import * as React from "react";
import { useActs } from "../browser/use-commands";
import type { DataClient } from "../client";
import type { ExplorerHost } from "../host";
import { ExplorerRoot } from "../root";
import type { Entry, LinkView } from "../types";
import { PreviewPane } from "./pane";

export interface FilePreviewProps {
  client: DataClient;
  host: ExplorerHost;
  link: LinkView;
  entry: Entry;
}

/** The preview of one file alone, for a tab of its own. It fills its parent. */
export function FilePreview({ client, host, link, entry }: FilePreviewProps): React.JSX.Element {
  return (
    <ExplorerRoot client={client} host={host} compact={false}>
      <Alone link={link} entry={entry} />
    </ExplorerRoot>
  );
}

const NOTHING = { upsert: () => undefined, remove: () => undefined, reload: () => undefined };

function Alone({ link, entry }: { link: LinkView; entry: Entry }) {
  const folder = entry.path.slice(0, entry.path.length - entry.name.length);
  const acts = useActs(link, folder, NOTHING);
  return <PreviewPane link={link} path={entry.path} entry={entry} acts={acts} />;
}
