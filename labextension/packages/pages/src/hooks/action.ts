import { useCallback, useState } from "react";
import { toProblem } from "../api/problems";
import type { Problem } from "../api/types";

/** Runs what a button does, one at a time, and keeps the problem it ended with. */
export function useAction(): {
  busy: boolean;
  problem: Problem | undefined;
  clear: () => void;
  /** True when it went well. */
  run: (work: () => Promise<unknown>) => Promise<boolean>;
} {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const run = useCallback(async (work: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
      return true;
    } catch (error) {
      setProblem(toProblem(error));
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => setProblem(undefined), []);
  return { busy, problem, clear, run };
}
