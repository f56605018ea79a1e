import {
  DataExplorer,
  type DataClient,
  type ExplorerCommands,
  type ExplorerHost,
  type Place,
} from "@jupyterhub-studios/explorer";
import { ReactWidget } from "@jupyterlab/ui-components";
import { Signal } from "@lumino/signaling";
import React from "react";
import { dataIcon } from "./icon";

/** The explorer in the sidebar. Where it is, and what can be done there, is known outside too. */
export class DataPanel extends ReactWidget {
  readonly moved = new Signal<this, Place | null>(this);
  readonly changed = new Signal<this, undefined>(this);
  private shown: Place | null = null;
  private possible: ExplorerCommands | null = null;

  constructor(
    private readonly client: DataClient,
    private host: ExplorerHost,
  ) {
    super();
    this.id = "jupyterhub-studios-data";
    this.addClass("jp-DataPanel");
    this.title.icon = dataIcon;
    this.title.caption = "Data";
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", "Data");
  }

  get place(): Place | null {
    return this.shown;
  }

  /** What can be done now; null: the panel was never open. */
  get actions(): ExplorerCommands | null {
    return this.possible;
  }

  setHost(host: ExplorerHost): void {
    this.host = host;
    this.update();
  }

  goTo(place: Place | null): void {
    this.shown = place;
    this.moved.emit(place);
    this.update();
  }

  protected override render(): React.ReactElement {
    return (
      <DataExplorer
        client={this.client}
        host={this.host}
        place={this.shown}
        layout="compact"
        onPlace={this.onPlace}
        onCommands={this.onCommands}
      />
    );
  }

  private readonly onPlace = (place: Place | null): void => this.goTo(place);

  private readonly onCommands = (possible: ExplorerCommands | null): void => {
    this.possible = possible;
    this.changed.emit(undefined);
  };
}
