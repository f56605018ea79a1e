import { useCallback, useEffect, useState } from "react";
import { Unreachable, toProblem } from "../api/problems";
import type { Problem, Studio } from "../api/types";
import { useApp } from "./app";

const WAIT_SECONDS = 20;

const moving = (studio: Studio | undefined): boolean =>
  studio?.state === "starting" || studio?.state === "stopping";

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

/**
 * Follows one studio by long polls. A hidden page follows only a studio that starts or stops: browsers allow
 * few connections to one host, and the studios themselves need them.
 */
export function useProgress(id: string): {
  studio: Studio | undefined;
  problem: Problem | undefined;
  put: (studio: Studio) => void;
} {
  const { client, reach } = useApp();
  const [state, setState] = useState<{ id: string; studio?: Studio; problem?: Problem }>({ id });

  useEffect(() => {
    let round = new AbortController();
    let seen: Studio | undefined;

    async function follow(signal: AbortSignal): Promise<void> {
      const over = (): boolean => signal.aborted;
      let after = 0;
      let wait = 0;
      let pause = 1000;
      while (!over()) {
        try {
          const progress = await client.progress(id, after, wait, signal);
          if (over()) return;
          [after, wait, pause] = [progress.version, WAIT_SECONDS, 1000];
          seen = progress.studio;
          setState({ id, studio: seen });
          if (document.visibilityState === "hidden" && !moving(seen)) return;
        } catch (error) {
          if (over()) return;
          const problem = toProblem(error);
          setState((old) => ({ ...(old.id === id ? old : { id }), problem }));
          if (!(error instanceof Unreachable) && problem.status < 500) return;
          // The service may have restarted: ask afresh.
          [after, wait] = [0, 0];
          await sleep(pause, signal);
          pause = Math.min(pause * 2, 10_000);
        }
      }
    }

    const restart = (): void => {
      round.abort();
      round = new AbortController();
      void follow(round.signal);
    };
    const onVisibility = (): void => {
      if (document.visibilityState === "visible") restart();
      else if (!moving(seen)) round.abort();
    };
    document.addEventListener("visibilitychange", onVisibility);
    const forget = reach.onRetry(restart);
    restart();
    return () => {
      round.abort();
      forget();
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }, [client, id, reach]);

  const put = useCallback((studio: Studio) => setState({ id: studio.id, studio }), []);
  const current = state.id === id ? state : { id };
  return { studio: current.studio, problem: current.problem, put };
}
