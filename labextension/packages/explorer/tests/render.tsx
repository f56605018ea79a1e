import { render, type RenderResult } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import * as React from "react";
import { DataClient, DataExplorer, type ExplorerCommands, type ExplorerHost, type Place } from "../src/index";
import type { Server } from "./server";

export interface Shown extends RenderResult {
  user: UserEvent;
  copied: string[];
  /** Every place that the explorer went to. */
  places: (Place | null)[];
  commands: () => ExplorerCommands | null;
}

/** The explorer at a place, with a host that keeps what it is told. */
export function show(
  server: Server,
  start: Place | null = { link: "l1", path: "" },
  more: Partial<ExplorerHost> & { layout?: "wide" | "compact" } = {},
): Shown {
  const { layout = "wide", ...extra } = more;
  const copied: string[] = [];
  const places: (Place | null)[] = [];
  let commands: ExplorerCommands | null = null;
  const client = new DataClient(server);
  const host: ExplorerHost = {
    ownMachine: false,
    workspaces: [],
    copy: (text) => {
      copied.push(text);
      return Promise.resolve();
    },
    deepLink: ({ link, path, file }) => `http://hub/data/${link}?path=${path}&file=${file ?? ""}`,
    ...extra,
  };
  const hear = (next: ExplorerCommands | null): void => {
    commands = next;
  };
  function Host() {
    const [place, setPlace] = React.useState(start);
    return (
      <DataExplorer
        client={client}
        host={host}
        place={place}
        layout={layout}
        onPlace={(next) => {
          places.push(next);
          setPlace(next);
        }}
        onCommands={hear}
      />
    );
  }
  const rendered = render(
    <React.StrictMode>
      <Host />
    </React.StrictMode>,
  );
  return { ...rendered, user: userEvent.setup(), copied, places, commands: () => commands };
}
