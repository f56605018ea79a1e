import { useCallback, useEffect, useRef, useState } from "react";
import { useExplorer } from "../context";
import { useStream, type Stream } from "../hooks/use-stream";
import type { Entry, Found } from "../types";

export interface Search {
  /** What is searched for; "": no search is shown. */
  q: string;
  hits: Entry[];
  /** Hits beyond this many are counted by nobody: a better question is the way. */
  full: boolean;
  stream: Stream<Found>;
  start: (q: string) => void;
  close: () => void;
}

const MOST_HITS = 10_000;

/** A recursive search below a folder, whose hits come in while it runs. */
export function useSearch(link: string, path: string): Search {
  const { client } = useExplorer();
  const stream = useStream<Found>();
  const [held, setHeld] = useState<{ at: string; q: string; hits: Entry[] }>({ at: "", q: "", hits: [] });
  const at = JSON.stringify([link, path]);
  const mine = held.at === at;
  const coming = useRef<{ hits: Entry[]; timer?: ReturnType<typeof setTimeout> }>({ hits: [] });
  const { start: run, reset, stop } = stream;

  useEffect(() => reset, [at, reset]);

  const start = useCallback(
    (q: string) => {
      clearTimeout(coming.current.timer);
      const all: { hits: Entry[]; timer?: ReturnType<typeof setTimeout> } = { hits: [] };
      coming.current = all;
      setHeld({ at, q, hits: [] });
      // A thousand hits a second would be a thousand drawings.
      const show = (): void => {
        delete all.timer;
        setHeld((old) => (coming.current === all ? { ...old, hits: [...all.hits] } : old));
      };
      void run(
        (signal) => client.search(link, path, q, signal),
        ({ entry }) => {
          if (entry === null) return;
          all.hits.push(entry);
          all.timer ??= setTimeout(show, 150);
          if (all.hits.length >= MOST_HITS) stop();
        },
      );
    },
    [at, client, link, path, run, stop],
  );
  const close = useCallback(() => {
    reset();
    setHeld({ at: "", q: "", hits: [] });
  }, [reset]);
  return {
    q: mine ? held.q : "",
    hits: mine ? held.hits : [],
    full: mine && held.hits.length >= MOST_HITS,
    stream,
    start,
    close,
  };
}
