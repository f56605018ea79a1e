import type { Studio } from "../api/types";
import { useNow } from "../hooks/reach";
import { ago, dateTime, size } from "../text";

/** The age and size of what is saved: "Saved 3 min ago · 120 MB". */
export function Saved({ studio, every = 10_000 }: { studio: Studio; every?: number }) {
  const now = useNow(every);
  if (studio.saved === null) return <span className="text-body-secondary">Nothing saved yet</span>;
  const { saved_at, size: bytes } = studio.saved;
  return (
    <span>
      Saved{" "}
      <time dateTime={saved_at} title={dateTime(saved_at)}>
        {ago(saved_at, now)}
      </time>
      <span className="text-body-secondary"> · {size(bytes)}</span>
    </span>
  );
}
