import { useEffect, useState, useSyncExternalStore } from "react";
import { useApp } from "./app";

/** Whether the service answers, and by how much this machine's clock is wrong. One per page. */
export class Reach {
  /** When the service was first found unreachable (server time); null while it answers. */
  lostAt: number | null = null;
  private clockOffset = 0;
  private readonly watchers = new Set<() => void>();
  private readonly retriers = new Set<() => void>();

  readonly report = (reached: boolean, clockOffset?: number): void => {
    // Date headers count whole seconds: smaller offsets are noise.
    if (clockOffset !== undefined) this.clockOffset = Math.abs(clockOffset) < 2000 ? 0 : clockOffset;
    if (reached === (this.lostAt === null)) return;
    this.lostAt = reached ? null : this.now();
    this.watchers.forEach((tell) => tell());
  };

  readonly subscribe = (tell: () => void): (() => void) => {
    this.watchers.add(tell);
    return () => this.watchers.delete(tell);
  };

  /** Polls register here to be woken by "Try again now". */
  readonly onRetry = (wake: () => void): (() => void) => {
    this.retriers.add(wake);
    return () => this.retriers.delete(wake);
  };

  readonly retry = (): void => this.retriers.forEach((wake) => wake());

  /** The server's time. */
  readonly now = (): number => Date.now() + this.clockOffset;
}

export function useLostAt(): number | null {
  const { reach } = useApp();
  return useSyncExternalStore(reach.subscribe, () => reach.lostAt);
}

/** The server's time, followed every `every` milliseconds. */
export function useNow(every = 1000): number {
  const { reach } = useApp();
  const [now, setNow] = useState(reach.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(reach.now()), every);
    return () => clearInterval(timer);
  }, [reach, every]);
  return now;
}
