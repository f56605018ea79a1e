import { useCallback, useEffect, useRef } from "react";
import type { Studio } from "../../api/types";
import { useRouter } from "../../hooks/router";

export interface Opening {
  /** Whether the studio opens by itself once it is ready. */
  wanted: boolean;
  want: (wanted: boolean) => void;
}

/**
 * "Open it when it is ready": kept in the history's state, so that it holds over a reload and is spent once:
 * coming back from the studio must not open it again.
 */
export function useOpenWhenReady(studio: Studio): Opening {
  const { route, navigate } = useRouter();
  const wanted = route.state.open === true;
  const want = useCallback(
    (open: boolean) => {
      const search = route.query.toString();
      const path = `studios/${encodeURIComponent(studio.id)}`;
      navigate(search === "" ? path : `${path}?${search}`, { replace: true, state: open ? { open } : {} });
    },
    [route, navigate, studio.id],
  );
  const { state, url } = studio;
  const ready = state === "running" && studio.may.includes("open");
  const before = useRef(state);
  useEffect(() => {
    const failed = before.current === "starting" && state !== "starting" && state !== "running";
    before.current = state;
    if (!wanted || !(ready || failed)) return;
    want(false);
    if (ready) location.assign(url);
  }, [wanted, want, state, ready, url]);
  return { wanted, want };
}
