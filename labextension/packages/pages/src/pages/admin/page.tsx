import { useRested } from "@jupyterhub-studios/explorer";
import { useRef, useState } from "react";
import type { ComputeEnvironment, Studio } from "../../api/types";
import { StudioFilters } from "../../components/filters";
import { More } from "../../components/more";
import { ProblemBanner } from "../../components/problem";
import { useApp } from "../../hooks/app";
import { useComputeEnvironments } from "../../hooks/catalogue";
import { usePage } from "../../hooks/page";
import { useRouter } from "../../hooks/router";
import { useStudios } from "../../hooks/studios";
import { count } from "../../text";
import { NotFound } from "../not-found";
import { AdminRow } from "./row";

/** For administrators: everybody's studios, what they cost, and a safe end for any of them. */
export function AdminPage() {
  const { config } = useApp();
  return config.user.admin ? <Everybodys /> : <NotFound />;
}

function Everybodys() {
  const { route } = useRouter();
  const heading = useRef<HTMLHeadingElement>(null);
  usePage("All studios", heading);
  const [q, state] = [route.query.get("q") ?? "", route.query.get("state") ?? ""];
  const [pages, setPages] = useState(1);
  const list = useStudios({ q: useRested(q, 250), state, owner: "*" }, pages);
  const environments = useComputeEnvironments();
  const items = list.data?.items ?? [];
  return (
    <>
      <div className="st-page-head">
        <h1 ref={heading} tabIndex={-1}>
          All studios
        </h1>
        <Totals studios={items} environments={environments.data ?? []} />
      </div>
      {list.problem && list.problem.status !== 0 && <ProblemBanner problem={list.problem} />}
      <StudioFilters q={q} state={state} />
      {list.data !== undefined && items.length === 0 && <p>No studio matches.</p>}
      {items.length > 0 && (
        <div className="st-table-box">
          <table className="st-table" aria-label="All studios">
            <thead>
              <tr>
                <th scope="col">Studio</th>
                <th scope="col">Owner</th>
                <th scope="col">State</th>
                <th scope="col">Saved</th>
                <th scope="col">Time left</th>
                <th scope="col" className="st-number">
                  Cost
                </th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((studio) => (
                <AdminRow
                  key={studio.id}
                  studio={studio}
                  environment={environments.data?.find((e) => e.id === studio.compute_environment)}
                  reload={list.reload}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list.data?.more && <More onClick={() => setPages(pages + 1)} />}
    </>
  );
}

/** What runs now and what it costs, of the studios that are listed. */
function Totals({ studios, environments }: { studios: Studio[]; environments: ComputeEnvironment[] }) {
  const up = studios.filter((studio) => ["starting", "running", "stopping"].includes(studio.state));
  const price = (studio: Studio): number =>
    environments.find((e) => e.id === studio.compute_environment)?.price_per_hour ?? 0;
  const perHour = up.reduce((sum, studio) => sum + price(studio), 0);
  const cost = up.reduce((sum, studio) => sum + (studio.cost ?? 0), 0);
  return (
    <p className="text-body-secondary mb-0">
      {count(up.length, "studio")} running
      {perHour > 0 && `, ${perHour.toFixed(2)} per hour, ${cost.toFixed(2)} so far`}
    </p>
  );
}
