import { useState } from "react";
import { useStream } from "../hooks/use-stream";
import type { Done, Problem } from "../types";

export interface Change {
  running: boolean;
  done: number;
  total: number | null;
  problem: Problem | undefined;
  /** Ended in the middle, by a person. */
  stopped: boolean;
  run: (steps: ((signal: AbortSignal) => AsyncIterable<Done>)[]) => Promise<boolean>;
  stop: () => void;
}

/** Changes to many objects, one stream after the other, with a count over all of them. */
export function useChange(): Change {
  const stream = useStream<Done>();
  const [before, setBefore] = useState(0);
  const [fault, setFault] = useState<Problem>();
  const run: Change["run"] = async (steps) => {
    setFault(undefined);
    let sum = 0;
    for (const step of steps) {
      setBefore(sum);
      let last: Done | undefined;
      if (!(await stream.start(step, (line) => (last = line)))) return false;
      sum += last?.done ?? 0;
      const problem = last === undefined ? undefined : faultOf(last);
      if (problem !== undefined) {
        setFault(problem);
        return false;
      }
    }
    return true;
  };
  return {
    running: stream.state === "running",
    done: before + (stream.last?.done ?? 0),
    total: stream.last?.total == null ? null : before + stream.last.total,
    problem: fault ?? stream.problem,
    stopped: stream.state === "stopped",
    run,
    stop: stream.stop,
  };
}

/** A change that came to its end and left some as they were. */
function faultOf(line: Done): Problem | undefined {
  if (line.complete && line.failed.length === 0) return undefined;
  const names = line.failed.slice(0, 3).map((path) => `“${path}”`);
  const rest = line.failed.length - names.length;
  return {
    type: "about:blank",
    title: line.failed.length === 0 ? "It did not come to its end" : "Some are as they were before",
    status: 0,
    detail: [line.message, names.join(", ") + (rest > 0 ? ` and ${rest} more` : "")]
      .filter(Boolean)
      .join(": "),
    action: "Look at what is left, and try again",
    field: null,
  };
}
