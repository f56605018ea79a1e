import { DESCRIPTION_MAX, NAME_MAX, type ComputeEnvironment } from "../api/types";
import { Field, FieldError } from "../components/field";
import { Icon } from "../components/icons";
import { useApp } from "../hooks/app";
import { length, memory } from "../text";
import { lifespans, offerWords, type Errors, type Values, type Variable } from "./values";

interface FieldsProps {
  values: Values;
  errors: Errors;
  disabled?: boolean;
  onChange: (changes: Partial<Values>) => void;
}

export function NameFields({ values, errors, disabled, onChange }: FieldsProps) {
  const left = NAME_MAX - length(values.name.trim());
  return (
    <>
      <Field
        label="Name"
        error={errors.name}
        help={left <= 20 && left >= 0 ? `${left} characters left` : undefined}
      >
        {(control) => (
          <input
            {...control}
            name="name"
            className="form-control"
            autoComplete="off"
            value={values.name}
            disabled={disabled}
            onChange={(event) => onChange({ name: event.target.value })}
          />
        )}
      </Field>
      <Field
        label="Description"
        error={errors.description}
        help="Optional. What it is for, for you and others."
      >
        {(control) => (
          <textarea
            {...control}
            name="description"
            className="form-control"
            rows={2}
            maxLength={DESCRIPTION_MAX}
            value={values.description}
            disabled={disabled}
            onChange={(event) => onChange({ description: event.target.value })}
          />
        )}
      </Field>
    </>
  );
}

interface ResourceFieldsProps extends FieldsProps {
  environment: ComputeEnvironment | undefined;
}

export function ResourceFields({ values, errors, disabled, environment, onChange }: ResourceFieldsProps) {
  const most = (limit: string | undefined): string | undefined => limit && `At most ${limit} here.`;
  const { config } = useApp();
  const offer = lifespans(environment);
  const fixed = offer.locked && !config.user.admin;
  return (
    <div className="st-columns">
      <Field label="CPUs" error={errors.cpus} help={most(environment?.max_cpus?.toString())}>
        {(control) => (
          <input
            {...control}
            name="cpus"
            type="number"
            className="form-control"
            min={0}
            step="any"
            inputMode="decimal"
            value={values.cpus}
            disabled={disabled}
            onChange={(event) => onChange({ cpus: event.target.value })}
          />
        )}
      </Field>
      <Field
        label="Memory (GiB)"
        error={errors.memory_mib}
        help={most(environment?.max_memory_mib ? memory(environment.max_memory_mib) : undefined)}
      >
        {(control) => (
          <input
            {...control}
            name="memory_mib"
            type="number"
            className="form-control"
            min={0}
            step="any"
            inputMode="decimal"
            value={values.memory_gib}
            disabled={disabled}
            onChange={(event) => onChange({ memory_gib: event.target.value })}
          />
        )}
      </Field>
      <Field
        label="Lifespan (hours)"
        error={errors.lifespan_hours}
        help={fixed ? "The administrators have fixed it." : `${offerWords(offer)}.`}
      >
        {(control) => (
          <input
            {...control}
            name="lifespan_hours"
            type="number"
            className="form-control"
            min={0}
            max={120}
            step={1}
            inputMode="numeric"
            value={values.lifespan_hours}
            disabled={disabled === true || fixed}
            onChange={(event) => onChange({ lifespan_hours: event.target.value })}
          />
        )}
      </Field>
    </div>
  );
}

export function EnvironmentFields({ values, errors, disabled, onChange }: FieldsProps) {
  const variables = values.environment;
  const set = (environment: Variable[]): void => onChange({ environment });
  const change = (key: number, changes: Partial<Variable>): void =>
    set(variables.map((v) => (v.key === key ? { ...v, ...changes } : v)));
  const nextKey = Math.max(-1, ...variables.map((v) => v.key)) + 1;
  return (
    <fieldset className="st-field" disabled={disabled}>
      <legend className="form-label">Environment variables</legend>
      <div className="form-text">Set for the app. They are kept as plain text, so put no passwords here.</div>
      {variables.map((variable, i) => (
        <div className="st-variable" key={variable.key}>
          <input
            name="environment"
            className="form-control font-monospace"
            placeholder="NAME"
            aria-label={`Name of variable ${i + 1}`}
            aria-invalid={errors.environment ? true : undefined}
            autoComplete="off"
            spellCheck={false}
            value={variable.name}
            onChange={(event) => change(variable.key, { name: event.target.value })}
          />
          <input
            className="form-control font-monospace"
            placeholder="value"
            aria-label={`Value of variable ${i + 1}`}
            autoComplete="off"
            spellCheck={false}
            value={variable.value}
            onChange={(event) => change(variable.key, { value: event.target.value })}
          />
          <button
            type="button"
            className="btn btn-outline-secondary"
            aria-label={`Remove variable ${i + 1}`}
            onClick={() => set(variables.filter((v) => v.key !== variable.key))}
          >
            <Icon name="cross" />
          </button>
        </div>
      ))}
      {errors.environment && <FieldError id="environment-error">{errors.environment}</FieldError>}
      <button
        type="button"
        className="btn btn-sm btn-outline-secondary st-add-variable"
        onClick={() => set([...variables, { key: nextKey, name: "", value: "" }])}
      >
        <Icon name="plus" /> Add variable
      </button>
    </fieldset>
  );
}
