import { useAction } from "../../../hooks/action";
import { useApp } from "../../../hooks/app";
import { usePolled } from "../../../hooks/polled";

/** A list of those who may come in, and `act`, which changes it: what was `said` is announced when it went well. */
export function useSharedList<T>(key: string, load: (signal: AbortSignal) => Promise<T[]>, pause: number) {
  const { announce } = useApp();
  const list = usePolled(key, load, pause);
  const { busy, problem, clear, run } = useAction();
  const act = async (work: () => Promise<unknown>, said: string): Promise<boolean> => {
    const well = await run(work);
    if (well) announce(said);
    list.reload();
    return well;
  };
  return { items: list.data, busy, problem, clear, act };
}

export type Shares = ReturnType<typeof useSharedList>;
