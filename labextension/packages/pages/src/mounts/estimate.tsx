import { size, type Total } from "@jupyterhub-studios/explorer";
import { useEffect, useRef, useState } from "react";
import { toProblem } from "../api/problems";
import type { MountView, Problem } from "../api/types";
import { Icon } from "../components/icons";
import { useApp } from "../hooks/app";

const GIGABYTE = 1e9;

/** US dollars, as one thinks of them. */
export function dollars(amount: number): string {
  if (amount < 0.01) return "less than $0.01";
  return `about $${amount < 10 ? amount.toFixed(2) : Math.round(amount).toLocaleString("en")}`;
}

/** The warning that data lies far away, and on request what reading all of it once would cost. */
export function Estimate({ mount }: { mount: MountView }) {
  const { data } = useApp();
  const [total, setTotal] = useState<Total>();
  const [problem, setProblem] = useState<Problem>();
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const price = mount.gigabyte_price;

  const count = async (): Promise<void> => {
    running.current?.abort();
    const stop = new AbortController();
    running.current = stop;
    setProblem(undefined);
    setTotal({ files: 0, bytes: 0, complete: false });
    try {
      for await (const line of data.total(mount.link, mount.path, stop.signal)) setTotal(line);
    } catch (error) {
      if (!stop.signal.aborted) setProblem(toProblem(error));
    }
  };
  return (
    <div className="st-mount-warning">
      <p>
        <Icon name="warning" /> {mount.warning}
      </p>
      {price !== null && total === undefined && (
        <button type="button" className="btn btn-sm btn-link" onClick={() => void count()}>
          How much is it?
        </button>
      )}
      {price !== null && total !== undefined && (
        <p role="status">
          {total.complete ? "" : "At least "}
          {size(total.bytes)}: reading all of it once costs {dollars((total.bytes / GIGABYTE) * price)}.
        </p>
      )}
      {problem && <p>{problem.title}</p>}
    </div>
  );
}
