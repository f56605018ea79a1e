import { STUDIO_STATES } from "../api/types";
import { useSetQuery } from "../hooks/router";
import type { ReactNode } from "react";
import { Icon } from "./icons";
import { stateWord } from "./state";

interface StudioFiltersProps {
  q: string;
  state: string;
  children?: ReactNode;
}

/** Narrows a list of studios; what is chosen stands in the page's address. */
export function StudioFilters({ q, state, children }: StudioFiltersProps) {
  const setQuery = useSetQuery();
  return (
    <form className="st-filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <div className="st-search">
        <Icon name="search" />
        <input
          type="search"
          className="form-control"
          placeholder="Filter by name"
          aria-label="Filter by name"
          maxLength={200}
          value={q}
          onChange={(event) => setQuery({ q: event.target.value })}
        />
      </div>
      <select
        className="form-select"
        aria-label="Filter by state"
        value={state}
        onChange={(event) => setQuery({ state: event.target.value })}
      >
        <option value="">All states</option>
        {STUDIO_STATES.map((s) => (
          <option key={s} value={s}>
            {stateWord(s)}
          </option>
        ))}
      </select>
      {children}
    </form>
  );
}
