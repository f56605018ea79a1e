import { useEffect, useRef } from "react";
import type { Studio } from "../api/types";
import { stateWord } from "../components/state";
import { useApp } from "./app";

/** Has screen readers say when a studio comes into another state. */
export function useAnnounceStates(studios: Studio[]): void {
  const { announce } = useApp();
  const known = useRef(new Map<string, string>());
  useEffect(() => {
    const changed = studios.filter((s) => (known.current.get(s.id) ?? s.state) !== s.state);
    for (const studio of studios) known.current.set(studio.id, studio.state);
    if (changed.length > 0)
      announce(changed.map((s) => `${s.name}: ${stateWord(s.state).toLowerCase()}`).join(". "));
  }, [studios, announce]);
}
