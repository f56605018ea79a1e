import { useMemo, useRef } from "react";
import type { Problem, Studio } from "../../api/types";
import { Icon } from "../../components/icons";
import { ProblemBanner } from "../../components/problem";
import { Tabs } from "../../components/tabs";
import { useComputeEnvironments, useTemplates } from "../../hooks/catalogue";
import { useAnnounceStates } from "../../hooks/changes";
import { usePage } from "../../hooks/page";
import { useProgress } from "../../hooks/progress";
import { Link, useRouter, useSetQuery } from "../../hooks/router";
import { DataTab } from "../../mounts/tab";
import { Checkpoints } from "./checkpoints";
import { Header } from "./header";
import { Lifetime } from "./lifetime";
import { useOpenWhenReady } from "./open-when-ready";
import { Sessions } from "./sessions";
import { Settings } from "./settings";
import { Shared } from "./sharing/shared";
import { Sharing } from "./sharing/panel";
import { Situation } from "./situation";

const TABS = [
  { key: "checkpoints", label: "Checkpoints" },
  { key: "sessions", label: "Sessions" },
  { key: "data", label: "Data" },
  { key: "sharing", label: "Sharing" },
  { key: "settings", label: "Settings" },
] as const;

type TabKey = (typeof TABS)[number]["key"];

export function StudioPage({ id }: { id: string }) {
  const { studio, problem, put } = useProgress(id);
  return (
    <>
      <p className="st-back">
        <Link to="">
          <Icon name="back" /> Studios
        </Link>
      </p>
      {studio === undefined ? (
        <Missing problem={problem} />
      ) : (
        <Loaded studio={studio} problem={problem} put={put} />
      )}
    </>
  );
}

function Missing({ problem }: { problem: Problem | undefined }) {
  const heading = useRef<HTMLHeadingElement>(null);
  usePage("Studio", heading);
  return (
    <>
      <h1 ref={heading} tabIndex={-1} className="visually-hidden">
        Studio
      </h1>
      {problem !== undefined && problem.status !== 0 ? (
        <ProblemBanner problem={problem}>
          <Link className="btn btn-sm btn-outline-contrast" to="">
            All studios
          </Link>
        </ProblemBanner>
      ) : (
        <div className="st-skeleton st-skeleton-tall" role="status" aria-label="Loading" />
      )}
    </>
  );
}

interface LoadedProps {
  studio: Studio;
  problem: Problem | undefined;
  put: (studio: Studio) => void;
}

function Loaded({ studio, problem, put }: LoadedProps) {
  const { route } = useRouter();
  const setQuery = useSetQuery();
  const templates = useTemplates();
  const environments = useComputeEnvironments();
  const template = templates.data?.find((t) => t.id === studio.template);
  const environment = environments.data?.find((e) => e.id === studio.compute_environment);
  const opening = useOpenWhenReady(studio);
  useAnnounceStates(useMemo(() => [studio], [studio]));

  const wanted = route.query.get("tab");
  const tab: TabKey = TABS.find((t) => t.key === wanted)?.key ?? "checkpoints";
  return (
    <>
      <Header studio={studio} template={template} environment={environment} opening={opening} put={put} />
      {problem && problem.status !== 0 && <ProblemBanner problem={problem} />}
      <Situation studio={studio} opening={opening} put={put} />
      <Lifetime studio={studio} put={put} />
      {studio.may.includes("edit") ? (
        <Tabs
          label="About this studio"
          tabs={[...TABS]}
          value={tab}
          onChange={(key) => setQuery({ tab: key === "checkpoints" ? null : key, session: null })}
        >
          {tab === "checkpoints" && <Checkpoints studio={studio} />}
          {tab === "sessions" && <Sessions studio={studio} environment={environment} />}
          {tab === "data" && <DataTab studio={studio} put={put} />}
          {tab === "sharing" && <Sharing studio={studio} place={route.query.get("open") ?? ""} />}
          {tab === "settings" && <Settings studio={studio} environment={environment} put={put} />}
        </Tabs>
      ) : (
        <Shared studio={studio} />
      )}
    </>
  );
}
