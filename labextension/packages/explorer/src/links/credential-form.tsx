import * as React from "react";
import { useExplorer } from "../context";
import { PROVIDERS, type Provider } from "../types";
import { Field, type ControlProps } from "../ui/field";
import { PROVIDER_NAMES } from "../ui/icons";
import { SECRET_WORDS, fieldsOf, secretTypes, type CredentialValues } from "./credential-values";

type Name = keyof CredentialValues;

interface CredentialFieldsProps {
  values: CredentialValues;
  faults: Partial<Record<string, string>>;
  /** The provider is settled by the link's address. */
  fixed?: boolean;
  onChange: (values: CredentialValues) => void;
}

/** The fields of a new credential: those that its provider and kind need, and no others. */
export function CredentialFields({ values, faults, fixed = false, onChange }: CredentialFieldsProps) {
  const { host } = useExplorer();
  const set = (changes: Partial<CredentialValues>): void => onChange({ ...values, ...changes });
  const types = secretTypes(values.provider, host.ownMachine);
  const providers = PROVIDERS.filter(
    (one) => one !== "folder" && secretTypes(one, host.ownMachine).length > 0,
  );
  const text = (name: Name, label: string, help?: React.ReactNode, placeholder?: string) => (
    <Field key={name} label={label} error={faults[name]} help={help}>
      {(control) => (
        <input
          {...control}
          autoComplete="off"
          spellCheck={false}
          placeholder={placeholder}
          value={values[name]}
          onChange={(event) => set({ [name]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <>
      <div className="dx-columns">
        {text("name", "Name of the credential")}
        {!fixed && (
          <Field label="Provider">
            {(control) => (
              <select
                {...control}
                value={values.provider}
                onChange={(event) => {
                  const provider = event.target.value as Provider;
                  const type = secretTypes(provider, host.ownMachine)[0];
                  if (type !== undefined) set({ provider, type });
                }}
              >
                {providers.map((one) => (
                  <option key={one} value={one}>
                    {PROVIDER_NAMES[one]}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        <Field label="Kind of access">
          {(control) => (
            <select
              {...control}
              value={values.type}
              onChange={(event) => set({ type: event.target.value as CredentialValues["type"] })}
            >
              {types.map((type) => (
                <option key={type} value={type}>
                  {SECRET_WORDS[type]}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      {fieldsOf(values).map((name) => (
        <SecretField key={name} name={name} values={values} fault={faults[name]} set={set} text={text} />
      ))}
      {values.provider === "s3" && (
        <div className="dx-columns">
          {text(
            "endpoint",
            "Endpoint",
            "For MinIO, R2, SeaweedFS and other S3 stores. Empty: AWS.",
            "https://…",
          )}
          {text("region", "Region", "Empty: found by itself.")}
        </div>
      )}
      {(values.provider === "gcs" || values.provider === "azure") &&
        text("endpoint", "Endpoint", "Empty: the provider’s own.", "https://…")}
    </>
  );
}

interface SecretFieldProps {
  name: Name;
  values: CredentialValues;
  fault: string | undefined;
  set: (changes: Partial<CredentialValues>) => void;
  text: (name: Name, label: string, help?: React.ReactNode) => React.ReactNode;
}

function SecretField({ name, values, fault, set, text }: SecretFieldProps) {
  const secret = (label: string, help?: string) => (
    <Field label={label} error={fault} help={help}>
      {(control) => (
        <input
          {...control}
          type="password"
          autoComplete="new-password"
          value={values[name]}
          onChange={(event) => set({ [name]: event.target.value })}
        />
      )}
    </Field>
  );
  switch (name) {
    case "account":
      return text("account", "Storage account");
    case "profile":
      return text("profile", "Profile");
    case "access_key_id":
      return text("access_key_id", "Access key id");
    case "secret_access_key":
      return secret("Secret access key");
    case "session_token":
      return secret("Session token", "Only for temporary keys.");
    case "key":
      return secret("Account key");
    case "sas":
      return secret("SAS token");
    case "connection_string":
      return secret("Connection string");
    case "key_json":
      return (
        <Field
          label="Key file"
          error={fault}
          help="The JSON file of the service account: choose it, or paste it."
        >
          {(control) => <KeyFile control={control} values={values} set={set} />}
        </Field>
      );
    default:
      return null;
  }
}

function KeyFile({
  control,
  values,
  set,
}: {
  control: ControlProps;
  values: CredentialValues;
  set: (changes: Partial<CredentialValues>) => void;
}) {
  return (
    <div className="dx-key-file">
      <textarea
        {...control}
        rows={4}
        spellCheck={false}
        autoComplete="off"
        value={values.key_json}
        onChange={(event) => set({ key_json: event.target.value })}
      />
      <input
        type="file"
        accept=".json,application/json"
        aria-label="Choose the key file"
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file !== undefined) void file.text().then((key_json) => set({ key_json }));
        }}
      />
    </div>
  );
}
