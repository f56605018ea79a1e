import * as React from "react";
import { useExplorer } from "../context";
import { useListing } from "../hooks/use-listing";
import { useRested } from "../hooks/use-load";
import { useSelection } from "../hooks/use-selection";
import type { DataExplorerProps, ExplorerCommands, Place } from "../host";
import { nameOf, parentOf } from "../paths";
import { PreviewPane } from "../preview/pane";
import { rightsOf } from "../rights";
import { ask as askFiles, dropped } from "../transfers/pick";
import type { Entry, LinkView } from "../types";
import { Crumbs } from "./crumbs";
import { FolderBody } from "./folder-body";
import { Grid } from "./grid";
import { sorted, type Sort } from "./sort";
import { StatusBar } from "./status-bar";
import { Toolbar } from "./toolbar";
import { useActs } from "./use-commands";
import { useSearch } from "./use-search";

interface FolderViewProps {
  link: LinkView;
  place: Place;
  onPlace: DataExplorerProps["onPlace"];
  onCommands: (commands: ExplorerCommands) => void;
}

/** One folder: its rows, what can be done with them, and the preview of one. */
export function FolderView({ link, place, onPlace, onCommands }: FolderViewProps) {
  const explorer = useExplorer();
  const { client, host, compact, openMenu, uploads } = explorer;
  const { path } = place;
  const grid = React.useRef<HTMLDivElement>(null);
  const filter = React.useRef<HTMLInputElement>(null);
  // A filter belongs to its folder: another folder begins without one.
  const [typed, setTyped] = React.useState({ path, text: "" });
  const text = typed.path === path ? typed.text : "";
  const rested = useRested(typed, 200);
  const listing = useListing(client, link.id, path, rested.path === path ? rested.text : "");
  const search = useSearch(link.id, path);
  const [sort, setSort] = React.useState<Sort>();
  const searching = search.q !== "";
  const unsorted = searching ? search.hits : listing.items;
  const rows = React.useMemo(() => sorted(unsorted, sort), [unsorted, sort]);
  const selection = useSelection(JSON.stringify([link.id, path, search.q]), rows);
  const acts = useActs(link, path, listing);
  const rights = rightsOf(link);

  const cameFrom = React.useRef(place.file);
  const goTo = React.useCallback(
    (to: string) => {
      cameFrom.current = path.startsWith(to) && path !== to ? path : undefined;
      onPlace({ link: link.id, path: to }, { replace: false });
      grid.current?.scrollTo(0, 0);
    },
    [link.id, path, onPlace],
  );
  // The active row: the file of a deep link; back in a folder, the one below that was left.
  const { go } = selection;
  React.useEffect(() => {
    const left = cameFrom.current;
    if (left === undefined || rows.length === 0) return;
    const index = rows.findIndex(
      (row) => left.startsWith(row.path) && (row.kind === "folder" || left === row.path),
    );
    cameFrom.current = undefined;
    if (index !== -1) go(index);
  }, [rows, go]);

  const open = React.useCallback(
    (entry: Entry) => {
      if (entry.kind === "folder") {
        search.close();
        goTo(entry.path);
        grid.current?.focus({ preventScroll: true });
      } else if (compact && host.openPreview !== undefined) host.openPreview(link, entry);
      else onPlace({ link: link.id, path, file: entry.path }, { replace: place.file !== undefined });
    },
    // `close` is stable; the object around it is not.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [search.close, goTo, compact, host, link, path, place.file, onPlace],
  );
  const closeFile = (): void => {
    onPlace({ link: link.id, path }, { replace: true });
    grid.current?.focus({ preventScroll: true });
  };
  const menu = (index: number, at: { x: number; y: number }): void => {
    const row = rows[index];
    if (row === undefined) return;
    const entries = selection.chosen.has(row.path) ? selection.entries : [row];
    const label = entries.length === 1 ? `Actions for ${row.name}` : `Actions for ${entries.length} items`;
    openMenu({ ...at, label, commands: acts.menu(entries, open) });
  };

  const upload = (kind: "files" | "folder"): void =>
    void askFiles(kind).then((picked) => uploads.add(link.id, path, picked));
  useArrivals(link.id, path, listing.upsert);
  useCommandsOutside(onCommands, {
    refresh: listing.reload,
    focusFilter: () => filter.current?.focus(),
    upload: rights.write === undefined ? () => upload("files") : undefined,
    newFolder: rights.write === undefined ? acts.newFolder : undefined,
    up: () => (path === "" ? onPlace(null, { replace: false }) : goTo(parentOf(path))),
  });

  const { problem, loadMore } = listing;
  const nearEnd = React.useCallback(() => {
    if (problem === undefined) loadMore();
  }, [problem, loadMore]);

  const shown = place.file;
  const overlay = compact && shown !== undefined;
  return (
    <div className={`dx-browser ${shown !== undefined && !compact ? "dx-browser-split" : ""}`}>
      {!overlay && (
        <DropZone
          reason={rights.write}
          name={path === "" ? link.name : nameOf(path)}
          onDrop={(data) => void dropped(data).then((picked) => uploads.add(link.id, path, picked))}
        >
          <Crumbs link={link} path={path} onLinks={() => onPlace(null, { replace: false })} onPath={goTo} />
          <Toolbar
            link={link}
            path={path}
            filterRef={filter}
            text={text}
            onText={(value) => setTyped({ path, text: value })}
            search={search}
            acts={acts}
            loading={listing.loading}
            onReload={listing.reload}
            onUpload={upload}
            onIntoList={() => grid.current?.focus()}
          />
          <Grid
            gridRef={grid}
            label={`Files in ${path === "" ? link.name : nameOf(path)}`}
            rows={rows}
            selection={selection}
            sort={sort}
            onSort={setSort}
            shown={shown}
            below={searching ? path : undefined}
            more={!searching && (listing.more || listing.first)}
            onNearEnd={nearEnd}
            onOpen={open}
            onTwice={(entry) => {
              if (entry.kind === "file") void host.openInEditor?.(link, entry);
            }}
            onMenu={menu}
            onUp={() => (path === "" ? onPlace(null, { replace: false }) : goTo(parentOf(path)))}
            onDelete={() =>
              rights.write === undefined && selection.entries.length > 0 && acts.remove(selection.entries)
            }
            onRename={() => {
              const row = rows[selection.active];
              if (rights.write === undefined && row !== undefined) acts.rename(row);
            }}
            onFilter={() => filter.current?.focus()}
            onEscape={() => {
              if (selection.chosen.size > 0) selection.clear();
              else if (shown !== undefined) closeFile();
              else if (searching) search.close();
            }}
          >
            <FolderBody
              listing={listing}
              search={search}
              filter={text}
              writable={rights.write === undefined}
              onClear={() => setTyped({ path, text: "" })}
            />
          </Grid>
          <StatusBar
            link={link}
            listing={listing}
            search={search}
            rows={rows}
            sort={sort}
            selection={selection}
            acts={acts}
          />
        </DropZone>
      )}
      {shown !== undefined && (
        <PreviewPane
          key={shown}
          link={link}
          path={shown}
          entry={rows.find((row) => row.path === shown)}
          acts={acts}
          onClose={closeFile}
        />
      )}
    </div>
  );
}

interface DropZoneProps {
  reason: string | undefined;
  name: string;
  onDrop: (data: DataTransfer) => void;
  children: React.ReactNode;
}

/** Takes files and folders that are dragged in from the desktop, or says why not. */
function DropZone({ reason, name, onDrop, children }: DropZoneProps) {
  const [over, setOver] = React.useState(false);
  const hasFiles = (event: React.DragEvent): boolean => event.dataTransfer.types.includes("Files");
  return (
    <section
      className="dx-folder"
      aria-label={name}
      onDragOver={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        event.stopPropagation();
        event.dataTransfer.dropEffect = reason === undefined ? "copy" : "none";
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget)))
          setOver(false);
      }}
      onDrop={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        if (reason === undefined) onDrop(event.dataTransfer);
      }}
    >
      {children}
      {over && (
        <div className={`dx-drop ${reason === undefined ? "" : "dx-drop-no"}`}>
          <strong>{reason === undefined ? `Upload into “${name}”` : "Nothing can be uploaded here"}</strong>
          {reason !== undefined && <span>{reason}</span>}
        </div>
      )}
    </section>
  );
}

/** Puts what was uploaded into the rows that are shown: the file, or the folder on the way to it. */
function useArrivals(link: string, path: string, upsert: (entries: Entry[]) => void): void {
  const { uploads } = useExplorer();
  React.useEffect(
    () =>
      uploads.onArrived((to, at, entry) => {
        if (to !== link || !at.startsWith(path)) return;
        const slash = at.indexOf("/", path.length);
        if (slash === -1) upsert([entry]);
        else {
          const folder = at.slice(0, slash + 1);
          upsert([
            { ...entry, name: nameOf(folder), path: folder, kind: "folder", size: null, modified: null },
          ]);
        }
      }),
    [uploads, link, path, upsert],
  );
}

/** Tells the host what can be called now. */
function useCommandsOutside(tell: (commands: ExplorerCommands) => void, commands: ExplorerCommands): void {
  const latest = React.useRef(commands);
  React.useEffect(() => {
    latest.current = commands;
  });
  const writable = commands.upload !== undefined;
  React.useEffect(() => {
    tell({
      refresh: () => latest.current.refresh(),
      focusFilter: () => latest.current.focusFilter(),
      up: () => latest.current.up?.(),
      ...(writable
        ? { upload: () => latest.current.upload?.(), newFolder: () => latest.current.newFolder?.() }
        : {}),
    });
  }, [tell, writable]);
}
