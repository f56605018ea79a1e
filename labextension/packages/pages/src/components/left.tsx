import { useNow } from "../hooks/reach";
import { dateTime, duration } from "../text";

/** How long it is until `until`, counting down: "4 min 10 s". */
export function Left({ until }: { until: string }) {
  const now = useNow();
  return (
    <time className="st-left" dateTime={until} title={dateTime(until)}>
      {duration(Math.max(0, Math.round((Date.parse(until) - now) / 1000)) * 1000)}
    </time>
  );
}
