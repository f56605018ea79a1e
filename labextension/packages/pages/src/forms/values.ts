import {
  DESCRIPTION_MAX,
  NAME_MAX,
  type ComputeEnvironment,
  type LifetimeOffer,
  type Problem,
} from "../api/types";
import { length, memory, sentence } from "../text";

/** One environment variable in a form. `key` tells rows apart while both texts change. */
export interface Variable {
  key: number;
  name: string;
  value: string;
}

/** What the forms of a new and of an existing studio share, as it stands in the inputs. */
export interface Values {
  name: string;
  description: string;
  cpus: string;
  memory_gib: string;
  lifespan_hours: string;
  environment: Variable[];
}

/** Messages by the API's own field names. */
export type Errors = Partial<Record<string, string>>;

interface Given {
  name: string;
  description: string;
  cpus: number;
  memory_mib: number;
  lifespan_hours: number;
  environment: Record<string, string>;
}

export function valuesOf(given: Given): Values {
  return {
    name: given.name,
    description: given.description,
    cpus: String(given.cpus),
    memory_gib: String(given.memory_mib / 1024),
    lifespan_hours: String(given.lifespan_hours),
    environment: Object.entries(given.environment).map(([name, value], key) => ({ key, name, value })),
  };
}

export function parseValues(values: Values): Given {
  return {
    name: values.name.trim(),
    description: values.description.trim(),
    cpus: Number(values.cpus),
    memory_mib: Math.round(Number(values.memory_gib) * 1024),
    lifespan_hours: Number(values.lifespan_hours),
    environment: Object.fromEntries(
      values.environment.filter((v) => v.name !== "" || v.value !== "").map((v) => [v.name, v.value]),
    ),
  };
}

export function nameError(name: string): string | undefined {
  const n = length(name.trim());
  if (n === 0) return "Give the studio a name.";
  if (n > NAME_MAX) return `The name has ${n} characters; at most ${NAME_MAX} are possible.`;
  return undefined;
}

function variablesError(variables: Variable[]): string | undefined {
  const names = variables.filter((v) => v.name !== "" || v.value !== "").map((v) => v.name);
  const odd = names.find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (odd === "") return "A variable has a value but no name.";
  if (odd !== undefined) return `“${odd}” cannot be a variable’s name: use letters, digits and _.`;
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  return twice === undefined ? undefined : `“${twice}” is there twice.`;
}

const ANY: LifetimeOffer = {
  lifespan_hours: 8,
  min_hours: 1,
  max_hours: 120,
  endless: true,
  locked: false,
  idle_minutes: 60,
};

/** The lifespans that may be chosen in `environment`, for `template` or its first one. */
export function lifespans(environment: ComputeEnvironment | undefined, template = ""): LifetimeOffer {
  const offers = environment?.lifetime ?? {};
  return offers[template] ?? Object.values(offers)[0] ?? ANY;
}

export function offerWords(offer: LifetimeOffer): string {
  return `${offer.min_hours} to ${offer.max_hours}${offer.endless ? ", or 0 for no end" : ""}`;
}

/** What can be told before asking the service. */
export function check(values: Values, environment: ComputeEnvironment | undefined): Errors {
  const errors: Errors = {};
  const put = (field: string, error: string | undefined): void => {
    if (error !== undefined) errors[field] = error;
  };
  const { cpus, memory_mib, lifespan_hours } = parseValues(values);
  const maxCpus = environment?.max_cpus ?? 1024;
  const maxMemory = environment?.max_memory_mib ?? 24 * 1024 * 1024;
  put("name", nameError(values.name));
  if (length(values.description) > DESCRIPTION_MAX)
    put("description", `At most ${DESCRIPTION_MAX} characters; it has ${length(values.description)}.`);
  if (!(cpus > 0 && cpus <= maxCpus)) put("cpus", `More than 0, at most ${maxCpus}.`);
  if (!(memory_mib >= 256 && memory_mib <= maxMemory))
    put("memory_mib", `From 0.25 GiB to ${memory(maxMemory)}.`);
  const offer = lifespans(environment);
  const inBand = lifespan_hours >= offer.min_hours && lifespan_hours <= offer.max_hours;
  const usual = lifespan_hours === offer.lifespan_hours || (lifespan_hours === 0 && offer.endless);
  if (!(Number.isInteger(lifespan_hours) && (inBand || usual)))
    put("lifespan_hours", `Whole hours: ${offerWords(offer)}.`);
  put("environment", variablesError(values.environment));
  return errors;
}

/** The service's problem as an error at its field, when the form has that field. */
export function errorsOf(problem: Problem, fields: readonly string[]): Errors | undefined {
  const field = problem.field?.split(".")[0];
  if (field === undefined || !fields.includes(field)) return undefined;
  return { [field]: [problem.title, problem.detail, problem.action].map(sentence).filter(Boolean).join(" ") };
}

/** Brings the person to the first field with an error. */
export function focusError(form: HTMLFormElement | null, errors: Errors): void {
  const control = Array.from(form?.elements ?? []).find(
    (element) => "name" in element && typeof element.name === "string" && element.name in errors,
  );
  if (control instanceof HTMLElement) control.focus();
}
