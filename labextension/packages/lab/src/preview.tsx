import {
  FilePreview,
  type DataClient,
  type Entry,
  type ExplorerHost,
  type LinkView,
} from "@jupyterhub-studios/explorer";
import { ReactWidget } from "@jupyterlab/ui-components";
import React from "react";
import type { File } from "./drive-path";
import { dataIcon } from "./icon";

/** A preview as a tab of the main area. */
export class PreviewPanel extends ReactWidget {
  constructor(
    private readonly client: DataClient,
    private readonly host: ExplorerHost,
    private readonly link: LinkView,
    private readonly entry: Entry,
  ) {
    super();
    this.addClass("jp-DataPreview");
    this.title.icon = dataIcon;
    this.title.label = entry.name;
    this.title.caption = `${link.name}: ${entry.path}`;
  }

  get file(): File {
    return { link: this.link.id, path: this.entry.path };
  }

  protected override render(): React.ReactElement {
    return <FilePreview client={this.client} host={this.host} link={this.link} entry={this.entry} />;
  }
}
