import { useCallback, useEffect, useRef, useState } from "react";
import { isAbort, toProblem } from "../problems";
import type { Problem } from "../types";

export interface Stream<T> {
  state: "idle" | "running" | "done" | "stopped" | "failed";
  /** The last line that came. */
  last: T | undefined;
  problem: Problem | undefined;
  start: (open: (signal: AbortSignal) => AsyncIterable<T>, each?: (line: T) => void) => Promise<boolean>;
  stop: () => void;
  reset: () => void;
}

interface StreamState<T> {
  state: Stream<T>["state"];
  last?: T;
  problem?: Problem;
}

/** Reads a stream of lines with progress, until its end or until somebody stops it. Going away stops it too. */
export function useStream<T>(): Stream<T> {
  const [now, setNow] = useState<StreamState<T>>({ state: "idle" });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const start = useCallback<Stream<T>["start"]>(async (open, each) => {
    running.current?.abort();
    const stop = new AbortController();
    running.current = stop;
    setNow({ state: "running" });
    let last: T | undefined;
    let shown = 0;
    try {
      for await (const line of open(stop.signal)) {
        if (stop.signal.aborted) return false;
        last = line;
        each?.(line);
        // A fast server sends more lines than anybody can read.
        if (Date.now() - shown > 100) {
          shown = Date.now();
          setNow({ state: "running", last });
        }
      }
      if (running.current !== stop || stop.signal.aborted) return false;
      setNow({ state: "done", ...(last === undefined ? {} : { last }) });
      return true;
    } catch (error) {
      if (running.current === stop && !stop.signal.aborted && !isAbort(error))
        setNow({ state: "failed", ...(last === undefined ? {} : { last }), problem: toProblem(error) });
      return false;
    }
  }, []);
  const stop = useCallback(() => {
    running.current?.abort();
    setNow((old) => (old.state === "running" ? { ...old, state: "stopped" } : old));
  }, []);
  const reset = useCallback(() => {
    running.current?.abort();
    setNow({ state: "idle" });
  }, []);
  return { last: undefined, problem: undefined, ...now, start, stop, reset };
}
