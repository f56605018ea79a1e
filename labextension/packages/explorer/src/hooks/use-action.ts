import { useCallback, useState } from "react";
import { isAbort, toProblem } from "../problems";
import type { Problem } from "../types";

export interface Action {
  busy: boolean;
  problem: Problem | undefined;
  clear: () => void;
  /** True when it went well. */
  run: (work: () => Promise<unknown>) => Promise<boolean>;
}

/** Runs what a button does, and keeps the problem it ended with. */
export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const run = useCallback(async (work: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
      return true;
    } catch (error) {
      if (!isAbort(error)) setProblem(toProblem(error));
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => setProblem(undefined), []);
  return { busy, problem, clear, run };
}
