import * as React from "react";
import { useExplorer } from "../context";
import { MOST_ROWS, type Listing } from "../hooks/use-listing";
import type { Selection } from "../hooks/use-selection";
import { rightsOf } from "../rights";
import { count, number, size } from "../text";
import type { Entry, LinkView } from "../types";
import { Button, IconButton } from "../ui/button";
import { Icon } from "../ui/icons";
import type { Acts } from "./use-commands";
import type { Sort } from "./sort";
import type { Search } from "./use-search";

interface StatusBarProps {
  link: LinkView;
  listing: Listing;
  search: Search;
  rows: Entry[];
  sort: Sort;
  selection: Selection;
  acts: Acts;
}

/** How much is loaded and what is chosen; never a total that nobody has counted. */
export function StatusBar({ link, listing, search, rows, sort, selection, acts }: StatusBarProps) {
  return (
    <footer className="dx-status">
      {selection.chosen.size > 0 ? (
        <Chosen link={link} selection={selection} acts={acts} />
      ) : search.q !== "" ? (
        <Searching search={search} />
      ) : (
        <Loaded listing={listing} rows={rows} sort={sort} />
      )}
    </footer>
  );
}

function Chosen({ link, selection, acts }: Pick<StatusBarProps, "link" | "selection" | "acts">) {
  const { compact } = useExplorer();
  const { entries } = selection;
  const rights = rightsOf(link);
  const bytes = entries.reduce((sum, entry) => sum + (entry.size ?? 0), 0);
  const folders = entries.some((entry) => entry.kind === "folder");
  return (
    <>
      <strong role="status">
        {number(entries.length)} chosen
        {bytes > 0 && ` · ${size(bytes)}${folders ? " and folders" : ""}`}
      </strong>
      <span className="dx-status-buttons">
        <Button icon="download" reason={rights.download} onClick={() => void acts.download(entries)}>
          {compact ? "" : "Download"}
          {compact && <span className="dx-sr">Download</span>}
        </Button>
        {!compact && (
          <Button icon="move" reason={rights.write} onClick={() => acts.move(entries)}>
            Move
          </Button>
        )}
        <Button icon="trash" reason={rights.write} onClick={() => acts.remove(entries)}>
          {compact ? "" : "Delete"}
          {compact && <span className="dx-sr">Delete</span>}
        </Button>
        <IconButton icon="cross" label="Choose nothing" onClick={selection.clear} />
      </span>
    </>
  );
}

function Searching({ search }: { search: Search }) {
  const { stream, hits, q } = search;
  const running = stream.state === "running";
  const scanned = stream.last?.scanned ?? 0;
  return (
    <>
      <span role="status">
        {running && <Icon name="spin" />} {count(hits.length, "hit")} for “{q}” among {count(scanned, "file")}
        {running && " so far"}
        {stream.state === "stopped" && (search.full ? ": stopped, these are many" : ": stopped")}
      </span>
      <span className="dx-status-buttons">
        {running && (
          <Button icon="stop" onClick={stream.stop}>
            Stop
          </Button>
        )}
        <Button icon="cross" onClick={search.close}>
          Close the search
        </Button>
      </span>
    </>
  );
}

function Loaded({ listing, rows, sort }: Pick<StatusBarProps, "listing" | "rows" | "sort">) {
  const { items, more, truncated, all, first } = listing;
  if (first) return <span>…</span>;
  const loaded = number(items.length);
  return (
    <>
      <span role="status">
        {all && <Icon name="spin" />}{" "}
        {more
          ? sort === undefined
            ? `${loaded} loaded, the store has more`
            : `Sorted among the ${loaded} loaded`
          : count(rows.length, "item")}
        {truncated && " · the filesystem has more than it lists"}
      </span>
      {more && (
        <span className="dx-status-buttons">
          {all ? (
            <Button icon="stop" onClick={listing.stopAll}>
              Stop
            </Button>
          ) : (
            <Button onClick={listing.loadAll} title={`Up to ${number(MOST_ROWS)} rows`}>
              Load all
            </Button>
          )}
        </span>
      )}
    </>
  );
}
