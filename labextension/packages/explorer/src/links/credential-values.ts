import { FITS, type CredentialSpec, type Provider, type Secret, type SecretType } from "../types";

/** What is typed into the form of a new credential, all as text. */
export interface CredentialValues {
  name: string;
  provider: Provider;
  type: SecretType;
  endpoint: string;
  region: string;
  account: string;
  profile: string;
  access_key_id: string;
  secret_access_key: string;
  session_token: string;
  key: string;
  sas: string;
  connection_string: string;
  key_json: string;
}

export const EMPTY: CredentialValues = {
  name: "",
  provider: "s3",
  type: "access-key",
  endpoint: "",
  region: "",
  account: "",
  profile: "",
  access_key_id: "",
  secret_access_key: "",
  session_token: "",
  key: "",
  sas: "",
  connection_string: "",
  key_json: "",
};

/** In the order in which they are offered. */
export const SECRET_WORDS: Record<SecretType, string> = {
  "access-key": "Access key",
  "service-account": "Service account key (JSON)",
  "azure-key": "Account key",
  "azure-sas": "Shared access signature (SAS)",
  "azure-connection-string": "Connection string",
  profile: "Profile of the AWS configuration",
  ambient: "What this machine has (role, environment)",
  anonymous: "None: public data",
};

/** The kinds that can be added here: what belongs to the machine only where the machine is the person's own. */
export function secretTypes(provider: Provider, ownMachine: boolean): SecretType[] {
  const order = Object.keys(SECRET_WORDS) as SecretType[];
  return order.filter(
    (type) => FITS[provider].includes(type) && (ownMachine || (type !== "ambient" && type !== "profile")),
  );
}

/** The fields that a kind needs, beside name, endpoint and region. */
export const SECRET_FIELDS: Record<SecretType, (keyof CredentialValues)[]> = {
  ambient: [],
  anonymous: [],
  profile: ["profile"],
  "access-key": ["access_key_id", "secret_access_key", "session_token"],
  "azure-key": ["account", "key"],
  "azure-sas": ["account", "sas"],
  "azure-connection-string": ["connection_string"],
  "service-account": ["key_json"],
};

export function fieldsOf({ provider, type }: CredentialValues): (keyof CredentialValues)[] {
  const outer =
    provider === "azure" && (type === "anonymous" || type === "ambient") ? ["account" as const] : [];
  return [...outer, ...SECRET_FIELDS[type]];
}

const OPTIONAL: ReadonlySet<keyof CredentialValues> = new Set(["session_token"]);

/** What is missing or wrong, by field; the server decides about the rest. */
export function faultsOf(values: CredentialValues): Partial<Record<keyof CredentialValues, string>> {
  const faults: Partial<Record<keyof CredentialValues, string>> = {};
  for (const field of ["name" as const, ...fieldsOf(values)])
    if (values[field].trim() === "" && !OPTIONAL.has(field)) faults[field] = "This is needed";
  if (values.endpoint !== "" && !/^https?:\/\/[^/\s]+/.test(values.endpoint.trim()))
    faults.endpoint = "It starts with https:// or http://";
  if (values.type === "service-account" && faults.key_json === undefined) {
    try {
      JSON.parse(values.key_json);
    } catch {
      faults.key_json = "This is not JSON";
    }
  }
  return faults;
}

const orNull = (text: string): string | null => (text.trim() === "" ? null : text.trim());

export function specOf(values: CredentialValues): CredentialSpec {
  const inner = values.type === "anonymous" || values.type === "ambient";
  return {
    name: values.name.trim(),
    provider: values.provider,
    secret: secretOf(values),
    endpoint: orNull(values.endpoint),
    region: orNull(values.region),
    account: inner && values.provider === "azure" ? orNull(values.account) : null,
  };
}

function secretOf(values: CredentialValues): Secret {
  const { type } = values;
  switch (type) {
    case "ambient":
    case "anonymous":
      return { type };
    case "profile":
      return { type, profile: values.profile.trim() };
    case "access-key":
      return {
        type,
        access_key_id: values.access_key_id.trim(),
        secret_access_key: values.secret_access_key.trim(),
        session_token: orNull(values.session_token),
      };
    case "azure-key":
      return { type, account: values.account.trim(), key: values.key.trim() };
    case "azure-sas":
      return { type, account: values.account.trim(), sas: values.sas.trim() };
    case "azure-connection-string":
      return { type, connection_string: values.connection_string.trim() };
    case "service-account":
      return { type, key_json: values.key_json };
  }
}
