import { useCallback, useEffect, useState } from "react";
import { toProblem } from "../api/problems";
import type { Problem } from "../api/types";
import { useApp } from "./app";

/** How much is loaded without being asked for, in characters. */
const AT_ONCE = 1_000_000;
const FOLLOW_EVERY = 1500;

/** `app`: what the studio's app prints, by its agent. `job`: what the job itself prints, by its compute environment. */
export type LogKind = "app" | "job";

interface Log {
  text: string;
  /** Where the next page begins; null: at the beginning. */
  next: string | null;
  /** The end of what there is now was reached. */
  complete: boolean;
  /** No more will come: the session has ended. */
  ended: boolean;
}

const EMPTY: Log = { text: "", next: null, complete: false, ended: false };

/**
 * A session's log from its beginning, page by page. Following, the rest is loaded and new lines come by
 * themselves; otherwise loading rests after a while until `more` is called.
 */
export function useLog(session: string, kind: LogKind, follow: boolean) {
  const load = useLoad(session, kind);
  const [log, setLog] = useState(EMPTY);
  const [limit, setLimit] = useState(AT_ONCE);
  const [problem, setProblem] = useState<Problem>();
  const { next, complete, ended } = log;
  const full = log.text.length >= limit;
  const idle = complete ? ended || !follow : full && !follow;

  useEffect(() => {
    if (idle) return;
    const abort = new AbortController();
    const look = async (): Promise<void> => {
      try {
        const page = await load(next, abort.signal);
        if (abort.signal.aborted) return;
        setProblem(undefined);
        setLog((old) => ({
          text: old.text + page.text,
          next: page.next,
          complete: page.text === "",
          ended: page.ended,
        }));
      } catch (error) {
        if (!abort.signal.aborted) setProblem(toProblem(error));
      }
    };
    const timer = setTimeout(() => void look(), complete || problem ? FOLLOW_EVERY : 0);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
    // `log` itself: an empty page must lead to the next look as well.
  }, [load, idle, log, next, complete, problem]);

  const more = useCallback(() => setLimit((old) => old + AT_ONCE), []);
  return { text: log.text, loading: !complete && !idle, hasMore: !complete && full, problem, more };
}

/** One page of either log. */
function useLoad(session: string, kind: LogKind) {
  const { client } = useApp();
  return useCallback(
    async (next: string | null, signal: AbortSignal): Promise<Omit<Log, "complete">> => {
      if (kind === "job") return { ...(await client.jobLogs(session, next, signal)), ended: false };
      const page = await client.logs(session, Number(next ?? 0), signal);
      return { text: page.text, next: String(page.next_offset), ended: page.ended };
    },
    [client, session, kind],
  );
}
