import { useRested } from "@jupyterhub-studios/explorer";
import { useRef, useState } from "react";
import type { Studio } from "../api/types";
import { StudioFilters } from "../components/filters";
import { Icon } from "../components/icons";
import { More } from "../components/more";
import { ProblemBanner } from "../components/problem";
import { useAction } from "../hooks/action";
import { useApp } from "../hooks/app";
import { useTemplates } from "../hooks/catalogue";
import { useAnnounceStates } from "../hooks/changes";
import { usePage } from "../hooks/page";
import { Link, useRouter, useSetQuery } from "../hooks/router";
import { useStudios } from "../hooks/studios";
import { StudioRow } from "./list-row";
import { noticeTo } from "./studio/stop-dialog";

const NONE: Studio[] = [];
const BUSY_PAUSE = 1500;

export function ListPage() {
  const { client, config } = useApp();
  const { route } = useRouter();
  const heading = useRef<HTMLHeadingElement>(null);
  usePage("Studios", heading);
  const templates = useTemplates();

  const [q, state] = [route.query.get("q") ?? "", route.query.get("state") ?? ""];
  const everybody = config.user.admin && route.query.get("everybody") !== null;
  const shared = route.query.get("shared") !== null;
  const [pages, setPages] = useState(1);
  const list = useStudios(
    {
      q: useRested(q, 250),
      state,
      owner: everybody ? "*" : undefined,
      shared: shared ? "true" : undefined,
    },
    pages,
    BUSY_PAUSE,
  );
  const action = useAction();

  // While another filter loads, what was there stays: no flicker.
  const [shown, setShown] = useState<typeof list.data>();
  if (list.data !== undefined && list.data !== shown) setShown(list.data);
  useAnnounceStates(shown?.items ?? NONE);

  const act = async (work: () => Promise<unknown>): Promise<void> => {
    await action.run(work);
    list.reload();
  };
  const filtered = q !== "" || state !== "";
  const problem = action.problem ?? (list.problem?.status === 0 ? undefined : list.problem);

  return (
    <>
      <div className="st-page-head">
        <h1 ref={heading} tabIndex={-1}>
          Studios
        </h1>
        {(filtered || (shown?.items.length ?? 0) > 0) && (
          <Link className="btn btn-primary" to="new">
            <Icon name="plus" /> New studio
          </Link>
        )}
      </div>
      <Whose shared={shared} />
      {problem && <ProblemBanner problem={problem} onDismiss={action.clear} />}
      {(filtered || everybody || config.user.admin || (shown?.items.length ?? 0) > 0) && (
        <Filters q={q} state={state} everybody={everybody} />
      )}
      {shown === undefined && !problem && <Loading />}
      {shown?.items.length === 0 &&
        (filtered ? <NoMatch /> : shared ? <NoneShared /> : <Empty everybody={everybody} />)}
      <ul className="st-list" aria-label="Studios">
        {shown?.items.map((studio) => (
          <StudioRow
            key={studio.id}
            studio={studio}
            template={templates.data?.find((t) => t.id === studio.template)}
            showOwner={everybody || shared}
            busy={action.busy}
            onStart={() => void act(() => client.start(studio.id))}
            onStop={() => void act(() => client.stop(studio.id, false, noticeTo(studio, config.user.name)))}
          />
        ))}
      </ul>
      {shown?.more && <More onClick={() => setPages(pages + 1)} />}
    </>
  );
}

function Whose({ shared }: { shared: boolean }) {
  const current = (here: boolean) => (here ? "page" : undefined);
  return (
    <nav className="st-whose" aria-label="Whose studios">
      <Link to="" aria-current={current(!shared)}>
        Mine
      </Link>
      <Link to="?shared=1" aria-current={current(shared)}>
        Shared with me
      </Link>
    </nav>
  );
}

function NoneShared() {
  return (
    <div className="st-empty">
      <h2>Nobody shares a studio with you now</h2>
      <p>Studios that others let you into, by name or by a link, are found here as long as they do.</p>
    </div>
  );
}

function Filters({ q, state, everybody }: { q: string; state: string; everybody: boolean }) {
  const { config } = useApp();
  const setQuery = useSetQuery();
  return (
    <StudioFilters q={q} state={state}>
      {config.user.admin && (
        <label className="form-check form-switch">
          <input
            type="checkbox"
            role="switch"
            className="form-check-input"
            checked={everybody}
            onChange={(event) => setQuery({ everybody: event.target.checked ? "1" : null })}
          />
          <span className="form-check-label">Everybody’s</span>
        </label>
      )}
    </StudioFilters>
  );
}

function Empty({ everybody }: { everybody: boolean }) {
  return (
    <div className="st-empty">
      <span className="st-empty-mark">
        <Icon name="layers" />
      </span>
      <h2>{everybody ? "Nobody has a studio yet" : "You have no studio yet"}</h2>
      <p>
        A studio is your own machine next to the data. What you install and write in it is saved while it runs
        and when it stops, and is back when it starts.
      </p>
      <Link className="btn btn-primary btn-lg" to="new">
        <Icon name="plus" /> New studio
      </Link>
    </div>
  );
}

function NoMatch() {
  const setQuery = useSetQuery();
  return (
    <div className="st-empty">
      <h2>No studio matches</h2>
      <p>None has this name and state.</p>
      <button
        type="button"
        className="btn btn-outline-secondary"
        onClick={() => setQuery({ q: null, state: null })}
      >
        Clear the filters
      </button>
    </div>
  );
}

function Loading() {
  return (
    <div className="st-skeletons" role="status">
      <span className="visually-hidden">Loading studios</span>
      <div className="st-skeleton" />
      <div className="st-skeleton" />
      <div className="st-skeleton" />
    </div>
  );
}
