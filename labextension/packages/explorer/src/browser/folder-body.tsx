import * as React from "react";
import type { Listing } from "../hooks/use-listing";
import { Button } from "../ui/button";
import { Icon } from "../ui/icons";
import { Empty, ProblemNote } from "../ui/problem";
import type { Search } from "./use-search";

interface FolderBodyProps {
  listing: Listing;
  search: Search;
  filter: string;
  writable: boolean;
  onClear: () => void;
}

/** What stands below the rows, or in their place: it loads, it is empty, it went wrong. */
export function FolderBody({ listing, search, filter, writable, onClear }: FolderBodyProps) {
  if (search.q !== "") {
    if (search.stream.problem !== undefined)
      return (
        <Outside>
          <ProblemNote problem={search.stream.problem} onRetry={() => search.start(search.q)} />
        </Outside>
      );
    if (search.hits.length > 0 || search.stream.state === "running") return null;
    return (
      <Outside>
        <Empty title={`Nothing below here has “${search.q}” in its name`}>
          <Button onClick={search.close}>Back to the folder</Button>
        </Empty>
      </Outside>
    );
  }
  if (listing.problem !== undefined)
    return (
      <Outside>
        <ProblemNote problem={listing.problem} onRetry={listing.loadMore} />
      </Outside>
    );
  if (listing.first)
    return (
      <Outside>
        <div className="dx-rows-loading" role="status">
          <span className="dx-sr">Loading the folder</span>
          {Array.from({ length: 8 }, (_, index) => (
            <span key={index} style={{ width: `${30 + ((index * 37) % 40)}%` }} />
          ))}
        </div>
      </Outside>
    );
  if (listing.items.length > 0 || listing.more) return null;
  if (filter !== "")
    return (
      <Outside>
        <Empty title={`No name here begins with “${filter}”`}>
          <p>The filter looks at the beginning of names, upper and lower case apart.</p>
          <Button onClick={onClear}>Clear the filter</Button>
        </Empty>
      </Outside>
    );
  return (
    <Outside>
      <Empty title="This folder is empty" icon={<Icon name="folder" />}>
        <p>{writable ? "Drop files or folders here to upload them." : "There is nothing to see."}</p>
      </Empty>
    </Outside>
  );
}

/** A grid holds rows alone: this is said in one. */
function Outside({ children }: { children: React.ReactNode }) {
  return (
    <div role="row" className="dx-grid-note">
      <div role="gridcell">{children}</div>
    </div>
  );
}
