import type { DataClient } from "./client";
import type { Entry, LinkView } from "./types";

/** Where somebody is: a folder of a link, and the file of it that is previewed. Paths are relative to the link. */
export interface Place {
  link: string;
  /** "" is the link itself; a folder's path ends with "/". */
  path: string;
  file?: string | undefined;
}

/** What the surroundings do for the explorer. What is absent is not offered. */
export interface ExplorerHost {
  /** The machine is the person's own (a plain JupyterLab): folders, profiles and ambient access are allowed. */
  ownMachine: boolean;
  /** Links and credentials are added, edited and removed somewhere else: a sentence that says where. */
  linksElsewhere?: string;
  /** Groups to which this person may offer a link. */
  workspaces: string[];
  /** Absolute address of a place, to give to a colleague. */
  deepLink?: (place: Place) => string;
  copy: (text: string) => Promise<void>;
  /** Tells something in passing. Without it the explorer shows a line of its own. */
  notify?: (message: string, kind: "info" | "error") => void;
  /** Inserts code into a notebook: the active one, or a new one. */
  openInNotebook?: (code: string) => void | Promise<void>;
  /** Opens a text in an editor; also by double-click. */
  openInEditor?: (link: LinkView, entry: Entry) => void | Promise<void>;
  /** Shows a preview elsewhere (JupyterLab's main area). Without it the compact layout shows it over the list. */
  openPreview?: (link: LinkView, entry: Entry) => void;
}

/** What commands outside (JupyterLab's palette, menus) can have the shown explorer do; undefined: not here, not now. */
export interface ExplorerCommands {
  refresh: () => void;
  addLink?: (() => void) | undefined;
  focusFilter: () => void;
  upload?: (() => void) | undefined;
  newFolder?: (() => void) | undefined;
  up?: (() => void) | undefined;
}

export interface DataExplorerProps {
  client: DataClient;
  host: ExplorerHost;
  /** Where the explorer is; null: the list of links. The host holds it (an address, a state). */
  place: Place | null;
  /** Somebody went elsewhere. `replace`: not worth an entry in the history. */
  onPlace: (place: Place | null, options: { replace: boolean }) => void;
  /** "compact" fits a sidebar. */
  layout?: "wide" | "compact";
  /** Hears what can be done now, whenever it changes; null: nothing any more. */
  onCommands?: (commands: ExplorerCommands | null) => void;
}
