import { useCallback, useEffect, useRef, useState } from "react";
import { toProblem } from "../api/problems";
import type { Problem } from "../api/types";
import { useApp } from "./app";

export interface Polled<T> {
  data: T | undefined;
  problem: Problem | undefined;
  reload: () => void;
}

/**
 * Loads `key` now and again every `interval` milliseconds (null: only on reload) while the page is visible.
 * What was loaded stays when a later load fails.
 */
export function usePolled<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  interval: number | null = null,
): Polled<T> {
  const { reach } = useApp();
  const [state, setState] = useState<{ key: string; data?: T; problem?: Problem }>({ key });
  const latest = useRef({ load, interval });
  useEffect(() => {
    latest.current = { load, interval };
  });
  const kick = useRef<() => void>(() => undefined);

  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let running = false;
    let again = false;

    async function tick(): Promise<void> {
      clearTimeout(timer);
      if (running) {
        again = true;
        return;
      }
      running = true;
      try {
        const data = await latest.current.load(abort.signal);
        if (!abort.signal.aborted) setState({ key, data });
      } catch (error) {
        if (!abort.signal.aborted)
          setState((old) => ({ ...(old.key === key ? old : { key }), problem: toProblem(error) }));
      }
      running = false;
      if (abort.signal.aborted) return;
      if (again) {
        again = false;
        void tick();
        return;
      }
      const pause = latest.current.interval ?? (reach.lostAt === null ? null : 5000);
      if (pause !== null && document.visibilityState === "visible")
        timer = setTimeout(() => void tick(), pause);
    }

    const wake = (): void => {
      if (document.visibilityState === "visible" && latest.current.interval !== null) void tick();
    };
    kick.current = () => void tick();
    const forget = reach.onRetry(kick.current);
    document.addEventListener("visibilitychange", wake);
    void tick();
    return () => {
      abort.abort();
      clearTimeout(timer);
      forget();
      document.removeEventListener("visibilitychange", wake);
    };
  }, [key, reach]);

  const reload = useCallback(() => kick.current(), []);
  const current = state.key === key ? state : { key };
  return { data: current.data, problem: current.problem, reload };
}

/** Loads again when `value`, seen elsewhere, changes. */
export function useReloadOn(value: string, reload: () => void): void {
  const before = useRef(value);
  useEffect(() => {
    if (before.current !== value) reload();
    before.current = value;
  }, [value, reload]);
}
