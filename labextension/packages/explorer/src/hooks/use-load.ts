import { useCallback, useEffect, useRef, useState } from "react";
import { isAbort, toProblem } from "../problems";
import type { Problem } from "../types";

export interface Loaded<T> {
  data: T | undefined;
  problem: Problem | undefined;
  loading: boolean;
  reload: () => void;
}

/** Loads `key`; a load that another key has overtaken is aborted. What was there stays while it loads anew. */
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ key: string; turn: number; data?: T; problem?: Problem }>();
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  useEffect(() => {
    latest.current = load;
  });
  useEffect(() => {
    const stop = new AbortController();
    latest.current(stop.signal).then(
      (data) => {
        if (!stop.signal.aborted) setState({ key, turn, data });
      },
      (error: unknown) => {
        if (stop.signal.aborted || isAbort(error)) return;
        setState((old) => ({ ...(old?.key === key ? old : {}), key, turn, problem: toProblem(error) }));
      },
    );
    return () => stop.abort();
  }, [key, turn]);
  const reload = useCallback(() => setTurn((now) => now + 1), []);
  const current = state?.key === key ? state : undefined;
  return { data: current?.data, problem: current?.problem, loading: current?.turn !== turn, reload };
}

/** `value` once it has rested for `ms`. */
export function useRested<T>(value: T, ms: number): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return rested;
}
