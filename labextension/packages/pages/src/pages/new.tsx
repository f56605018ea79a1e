import { useRef } from "react";
import type { Checkpoint, ComputeEnvironment, Studio, Template } from "../api/types";
import { Icon } from "../components/icons";
import { Notice, ProblemBanner } from "../components/problem";
import { StatusBadge, statusWhy } from "../components/state";
import { NewForm } from "../forms/new-form";
import { useApp } from "../hooks/app";
import { useComputeEnvironments, useTemplates } from "../hooks/catalogue";
import { usePage } from "../hooks/page";
import { usePolled } from "../hooks/polled";
import { Link, useRouter } from "../hooks/router";
import { count, dateTime, size } from "../text";

interface Source {
  checkpoint: Checkpoint;
  studio: Studio;
}

function useSource(id: string | null) {
  const { client } = useApp();
  return usePolled<Source | null>(`checkpoint ${id}`, async () => {
    if (id === null) return null;
    const checkpoint = await client.checkpoint(id);
    return { checkpoint, studio: await client.studio(checkpoint.studio_id) };
  });
}

export function NewPage() {
  const { route } = useRouter();
  const from = route.query.get("from_checkpoint");
  const heading = useRef<HTMLHeadingElement>(null);
  const title = from === null ? "New studio" : "Fork a studio";
  usePage(title, heading);
  const templates = useTemplates();
  const environments = useComputeEnvironments();
  const source = useSource(from);
  const problem = templates.problem ?? environments.problem ?? source.problem;
  const loaded = templates.data && environments.data && source.data !== undefined;

  return (
    <div className="st-narrow">
      <p className="st-back">
        <Link to="">
          <Icon name="back" /> Studios
        </Link>
      </p>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {problem && problem.status !== 0 && !loaded && <ProblemBanner problem={problem} />}
      {!loaded && !problem && (
        <div className="st-skeleton st-skeleton-tall" role="status" aria-label="Loading" />
      )}
      {templates.data && environments.data && source.data !== undefined && (
        <Loaded templates={templates.data} environments={environments.data} source={source.data} />
      )}
    </div>
  );
}

interface LoadedProps {
  templates: Template[];
  environments: ComputeEnvironment[];
  source: Source | null;
}

function Loaded({ templates, environments, source }: LoadedProps) {
  if (templates.length === 0 || environments.length === 0) {
    return (
      <Notice kind="warning">
        <strong>Nothing is offered to you yet.</strong>
        <p>
          {environments.length === 0 ? "No compute environment" : "No template"} is open to you. Ask an
          administrator for access.
        </p>
      </Notice>
    );
  }
  if (source?.checkpoint.status === "invalid") {
    return (
      <Notice kind="warning">
        <strong>“{source.checkpoint.name}” cannot be forked.</strong>
        <p>
          {statusWhy("invalid")} {source.checkpoint.message}
        </p>
      </Notice>
    );
  }
  return (
    <>
      {source && <SourcePanel source={source} />}
      <NewForm
        templates={templates}
        environments={environments}
        fork={source && { studio: source.studio, checkpoint: source.checkpoint.id }}
      />
    </>
  );
}

function SourcePanel({ source: { checkpoint, studio } }: { source: Source }) {
  return (
    <section className="st-panel st-source" aria-label="Made from">
      <Icon name="fork" />
      <div>
        <p>
          Made from checkpoint <strong>{checkpoint.name}</strong> of{" "}
          <Link to={`studios/${encodeURIComponent(studio.id)}`}>{studio.name}</Link>{" "}
          <StatusBadge status={checkpoint.status} />
        </p>
        <p className="text-body-secondary">
          Saved {dateTime(checkpoint.saved_at)} by {checkpoint.author} · {size(checkpoint.size)} ·{" "}
          {count(checkpoint.layers.length, "layer")}. Nothing is copied, and “{studio.name}” stays as it is.
        </p>
      </div>
    </section>
  );
}
