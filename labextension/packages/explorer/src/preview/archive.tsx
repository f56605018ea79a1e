import { useVirtualizer } from "@tanstack/react-virtual";
import * as React from "react";
import { count, size, visible } from "../text";
import type { ArchivePreview } from "../types";
import { EntryIcon } from "../ui/icons";

const ROW = 28;

/** What lies in a zip or tar, without unpacking it. */
export function ArchiveView({ preview }: { preview: ArchivePreview }) {
  const { members, truncated, format } = preview;
  const [text, setText] = React.useState("");
  const scroll = React.useRef<HTMLDivElement>(null);
  const rows = React.useMemo(() => {
    const wanted = text.trim().toLowerCase();
    return wanted === "" ? members : members.filter(({ path }) => path.toLowerCase().includes(wanted));
  }, [members, text]);
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 10,
    useFlushSync: false,
  });
  return (
    <div className="dx-text">
      <div className="dx-text-bar">
        <span>
          {format} · {count(members.length, "member")}
          {truncated && " listed, there are more"}
        </span>
        <input
          type="search"
          className="dx-input"
          placeholder="Filter"
          aria-label="Filter the contents"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <div ref={scroll} className="dx-lines" tabIndex={0} role="region" aria-label="Contents">
        <div role="list" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const member = rows[item.index];
            return (
              member && (
                <div
                  key={item.index}
                  role="listitem"
                  className="dx-line"
                  style={{ height: ROW, transform: `translateY(${item.start}px)` }}
                >
                  <EntryIcon entry={{ kind: member.folder ? "folder" : "file", name: member.path }} />
                  <span className="dx-line-name" title={member.path}>
                    {visible(member.path)}
                  </span>
                  <span>{member.size === null || member.folder ? "" : size(member.size)}</span>
                </div>
              )
            );
          })}
        </div>
      </div>
    </div>
  );
}
