import * as React from "react";
import type { DataClient } from "./client";
import type { ExplorerHost } from "./host";
import type { Uploads } from "./transfers/uploads";
import type { MenuAt } from "./ui/menu";

export interface Explorer {
  client: DataClient;
  host: ExplorerHost;
  compact: boolean;
  uploads: Uploads;
  notify: (message: string, kind?: "info" | "error") => void;
  openMenu: (at: MenuAt) => void;
  /** Shows a dialog above all; it is given the way to close itself. */
  ask: (dialog: (close: () => void) => React.ReactNode) => void;
}

export const ExplorerContext = React.createContext<Explorer | null>(null);

export function useExplorer(): Explorer {
  const explorer = React.useContext(ExplorerContext);
  if (explorer === null) throw new Error("useExplorer outside of DataExplorer");
  return explorer;
}
