import type { ComputeEnvironment, Template } from "../api/types";
import { Field, FieldError } from "../components/field";
import { TemplateIcon } from "../components/icons";
import { Notice } from "../components/problem";
import { memory } from "../text";

interface TemplateCardsProps {
  templates: Template[];
  value: string;
  error: string | undefined;
  onChange: (template: string) => void;
}

export function TemplateCards({ templates, value, error, onChange }: TemplateCardsProps) {
  return (
    <fieldset className="st-field">
      <legend className="form-label">Template</legend>
      <div className="st-cards">
        {templates.map((template) => (
          <label key={template.id} className="st-card">
            <input
              type="radio"
              name="template"
              value={template.id}
              checked={value === template.id}
              onChange={() => onChange(template.id)}
            />
            <TemplateIcon icon={template.icon} title={template.title} />
            <span>
              <strong>{template.title}</strong>
              <span className="form-text">{template.description}</span>
            </span>
          </label>
        ))}
      </div>
      {error && <FieldError id="template-error">{error}</FieldError>}
    </fieldset>
  );
}

const KINDS = { "aws-batch": "AWS Batch", docker: "Docker", local: "the Hub’s own machine" };

export function factsOf(environment: ComputeEnvironment): string {
  const facts = [
    `Runs on ${KINDS[environment.kind]}`,
    environment.region,
    environment.max_cpus && `up to ${environment.max_cpus} CPUs`,
    environment.max_memory_mib && `up to ${memory(environment.max_memory_mib)}`,
    environment.price_per_hour && `${environment.price_per_hour.toFixed(2)} per hour`,
  ];
  return facts.filter(Boolean).join(" · ");
}

interface EnvironmentSelectProps {
  environments: ComputeEnvironment[];
  template: string;
  value: string;
  error: string | undefined;
  onChange: (environment: string) => void;
}

export function EnvironmentSelect({
  environments,
  template,
  value,
  error,
  onChange,
}: EnvironmentSelectProps) {
  const chosen = environments.find((e) => e.id === value);
  return (
    <>
      <Field
        label="Compute environment"
        error={error}
        help={
          chosen && (
            <>
              {chosen.description !== "" && <>{chosen.description} </>}
              {factsOf(chosen)}
            </>
          )
        }
      >
        {(control) => (
          <select
            {...control}
            name="compute_environment"
            className="form-select"
            value={value}
            onChange={(event) => onChange(event.target.value)}
          >
            {environments.map((environment) => {
              const runs = environment.templates === null || environment.templates.includes(template);
              return (
                <option key={environment.id} value={environment.id} disabled={!runs}>
                  {environment.title}
                  {runs ? "" : " (does not run this template)"}
                </option>
              );
            })}
          </select>
        )}
      </Field>
      {chosen?.kind === "local" && <LocalNotice />}
    </>
  );
}

export function LocalNotice() {
  return (
    <Notice kind="secondary">
      Sessions here run on the Hub’s own machine and <strong>see its files, read-only</strong>. What a session
      changes is kept apart and saved with the studio; the machine itself stays as it is. For one person, or
      people who trust each other.
    </Notice>
  );
}
