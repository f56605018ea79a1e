import { useState } from "react";
import type { StudioQuery } from "../api/client";
import type { Studio } from "../api/types";
import { useApp } from "./app";
import { usePolled } from "./polled";

const PAUSE = 5000;

/**
 * The first `pages` pages of the studios that `query` finds, loaded again and again: after `busyPause` milliseconds
 * while one of them starts or stops.
 */
export function useStudios(query: StudioQuery, pages: number, busyPause = PAUSE) {
  const { client } = useApp();
  const [busy, setBusy] = useState(false);
  const load = async (signal: AbortSignal) => {
    const items: Studio[] = [];
    let after: string | undefined;
    for (let page = 0; page < pages; page += 1) {
      const answer = await client.studios({ ...query, after }, signal);
      items.push(...answer.items);
      after = answer.next ?? undefined;
      if (after === undefined) break;
    }
    setBusy(items.some((s) => s.state === "starting" || s.state === "stopping"));
    return { items, more: after !== undefined };
  };
  return usePolled(JSON.stringify([query, pages]), load, busy ? busyPause : PAUSE);
}
