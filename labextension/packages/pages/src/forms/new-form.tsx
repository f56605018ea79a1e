import { useRested } from "@jupyterhub-studios/explorer";
import { useRef, useState, type SyntheticEvent } from "react";
import { toProblem } from "../api/problems";
import type { ComputeEnvironment, MountSpec, Problem, Studio, Template } from "../api/types";
import { ProblemBanner } from "../components/problem";
import { useApp } from "../hooks/app";
import { usePolled } from "../hooks/polled";
import { Link, useRouter } from "../hooks/router";
import { MountsField } from "../mounts/field";
import { mountsError } from "../mounts/names";
import { EnvironmentFields, NameFields, ResourceFields } from "./fields";
import { EnvironmentSelect, TemplateCards } from "./place";
import {
  check,
  errorsOf,
  focusError,
  lifespans,
  nameError,
  parseValues,
  valuesOf,
  type Errors,
  type Values,
} from "./values";

const FIELDS = [
  "name",
  "description",
  "template",
  "compute_environment",
  "cpus",
  "memory_mib",
  "lifespan_hours",
  "environment",
  "mounts",
] as const;

const FRESH = { name: "", description: "", cpus: 2, memory_mib: 8192, lifespan_hours: 8, environment: {} };

interface NewFormProps {
  templates: Template[];
  environments: ComputeEnvironment[];
  fork: { studio: Studio; checkpoint: string } | null;
}

/** The environment that is chosen for a template: the one that was, if it runs it, else the first that does. */
function fitting(environments: ComputeEnvironment[], template: string, wanted: string | undefined): string {
  const fit = environments.filter((e) => e.templates === null || e.templates.includes(template));
  return (fit.find((e) => e.id === wanted) ?? fit[0] ?? environments[0])?.id ?? "";
}

/** The defaults, kept below what the environment allows. */
function startValues(environment: ComputeEnvironment | undefined, fork: NewFormProps["fork"]): Values {
  if (fork)
    return { ...valuesOf(fork.studio), name: `${Array.from(fork.studio.name).slice(0, 70).join("")} fork` };
  return valuesOf({
    ...FRESH,
    lifespan_hours: lifespans(environment).lifespan_hours,
    cpus: Math.min(FRESH.cpus, environment?.max_cpus ?? FRESH.cpus),
    memory_mib: Math.min(FRESH.memory_mib, environment?.max_memory_mib ?? FRESH.memory_mib),
  });
}

/** Whether one of the person's own studios has this name already; asked once the typing rests. */
function useTaken(name: string): boolean {
  const { client, config } = useApp();
  const wanted = useRested(name.trim(), 350);
  const same = usePolled(`name ${wanted}`, async (signal) => {
    if (nameError(wanted) !== undefined) return false;
    const { items } = await client.studios({ q: wanted }, signal);
    return items.some((studio) => studio.owner === config.user.name && studio.name === wanted);
  });
  return wanted === name.trim() && same.data === true;
}

export function NewForm({ templates, environments, fork }: NewFormProps) {
  const { client } = useApp();
  const { navigate } = useRouter();
  const form = useRef<HTMLFormElement>(null);
  const firstTemplate = templates.find((t) => t.id === fork?.studio.template) ?? templates[0];
  const [template, setTemplate] = useState(firstTemplate?.id ?? "");
  const [environment, setEnvironment] = useState(() =>
    fitting(environments, template, fork?.studio.compute_environment),
  );
  const chosen = environments.find((e) => e.id === environment);
  const [values, setValues] = useState(() => startValues(chosen, fork));
  const [errors, setErrors] = useState<Errors>({});
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const [start, setStart] = useState(true);
  const [open, setOpen] = useState(true);
  const [mounts, setMounts] = useState<MountSpec[]>(fork?.studio.mounts ?? []);
  const taken = useTaken(values.name);

  const clear = (...fields: string[]): void =>
    setErrors((old) => Object.fromEntries(Object.entries(old).filter(([field]) => !fields.includes(field))));
  const change = (changes: Partial<Values>): void => {
    setValues((old) => ({ ...old, ...changes }));
    clear(...Object.keys(changes).map((field) => (field === "memory_gib" ? "memory_mib" : field)));
  };
  const show = (found: Errors): void => {
    setErrors(found);
    // After the render that enables the fields again.
    setTimeout(() => focusError(form.current, found));
  };

  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    const found = check(values, chosen);
    const misnamed = mountsError(mounts);
    if (misnamed !== undefined) found.mounts = misnamed;
    setProblem(undefined);
    if (Object.keys(found).length > 0) return show(found);
    setBusy(true);
    try {
      const spec = {
        ...parseValues(values),
        template,
        compute_environment: environment,
        from_checkpoint: fork?.checkpoint ?? null,
        mounts,
      };
      const studio = await client.create(spec, start);
      navigate(`studios/${encodeURIComponent(studio.id)}`, { state: start && open ? { open: true } : {} });
    } catch (error) {
      const told = toProblem(error);
      const atField = errorsOf(told, FIELDS);
      if (atField) show(atField);
      else setProblem(told);
      setBusy(false);
    }
  };

  const live: Errors = { ...errors };
  if (live.name === undefined && values.name.trim() !== "") {
    const error = taken
      ? "You have a studio of this name already. Choose another name."
      : nameError(values.name);
    if (error !== undefined) live.name = error;
  }
  const verb = fork ? "Fork" : "Create";

  return (
    <form ref={form} className="st-form" noValidate onSubmit={(event) => void submit(event)}>
      {problem && <ProblemBanner problem={problem} onDismiss={() => setProblem(undefined)} />}
      <section className="st-panel">
        <TemplateCards
          templates={templates}
          value={template}
          error={errors.template}
          onChange={(id) => {
            setTemplate(id);
            setEnvironment(fitting(environments, id, environment));
            clear("template");
          }}
        />
        <NameFields values={values} errors={live} onChange={change} />
      </section>
      <section className="st-panel">
        <EnvironmentSelect
          environments={environments}
          template={template}
          value={environment}
          error={errors.compute_environment}
          onChange={(id) => {
            setEnvironment(id);
            clear("compute_environment", "cpus", "memory_mib");
          }}
        />
        <ResourceFields values={values} errors={errors} environment={chosen} onChange={change} />
        <EnvironmentFields values={values} errors={errors} onChange={change} />
      </section>
      <section className="st-panel">
        <MountsField
          mounts={mounts}
          environment={environment}
          error={errors.mounts}
          onChange={(next) => {
            setMounts(next);
            clear("mounts");
          }}
        />
      </section>
      <div className="st-submit">
        <div>
          <label className="form-check">
            <input
              type="checkbox"
              className="form-check-input"
              checked={start}
              onChange={(event) => setStart(event.target.checked)}
            />
            <span className="form-check-label">Start now</span>
          </label>
          <label className="form-check">
            <input
              type="checkbox"
              className="form-check-input"
              checked={start && open}
              disabled={!start}
              onChange={(event) => setOpen(event.target.checked)}
            />
            <span className="form-check-label">Open it when it is ready</span>
          </label>
        </div>
        <Link className="btn btn-link" to="">
          Cancel
        </Link>
        <button type="submit" className="btn btn-primary" disabled={busy}>
          {start ? `${verb} and start` : verb}
        </button>
      </div>
    </form>
  );
}
