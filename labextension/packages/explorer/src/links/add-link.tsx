import * as React from "react";
import { useExplorer } from "../context";
import { useAction } from "../hooks/use-action";
import { useLoad } from "../hooks/use-load";
import type { CredentialView, DataRole, Problem, Provider } from "../types";
import { Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { ProviderIcon } from "../ui/icons";
import { CredentialFields } from "./credential-form";
import { EMPTY, faultsOf, secretTypes, specOf, type CredentialValues } from "./credential-values";
import { DescriptionField, WorkspaceFields, WritableField } from "./edit-link";
import { nameFrom, providerOf } from "./address";

const NEW = "(new)";

interface AddLinkProps {
  /** What is filled in already: a place, and the credential's name that it was reached with. */
  from?: { url: string; credential: string | null };
  onClose: () => void;
  onAdded: () => void;
}

/** A bucket, a prefix or a public bucket under a name; with a credential that is there, or a new one. */
export function AddLink({ from, onClose, onAdded }: AddLinkProps) {
  const { client, host } = useExplorer();
  const [url, setUrl] = React.useState(from?.url ?? "");
  const [name, setName] = React.useState<string>();
  const [chosen, setCredential] = React.useState<string>();
  const [values, setValues] = React.useState<CredentialValues>(EMPTY);
  const [description, setDescription] = React.useState("");
  const [writable, setWritable] = React.useState(false);
  const [workspace, setWorkspace] = React.useState("");
  const [role, setRole] = React.useState<DataRole>("download");
  const [tried, setTried] = React.useState(false);
  const [half, setHalf] = React.useState<"credential" | "link">("link");
  const { busy, problem, run } = useAction();
  const known = useLoad("credentials", (signal) => client.credentials(signal));

  const provider = providerOf(url, host.ownMachine);
  const same = known.data?.find((one) => one.name === from?.credential && one.provider === provider.found);
  const credential = chosen ?? same?.id ?? "";
  const shownName = name ?? nameFrom(url);
  const fresh = credential === NEW && provider.found !== undefined;
  const keyValues = withProvider(values, provider.found, shownName, host.ownMachine);
  const keyFaults = fresh ? faultsOf(keyValues) : {};
  const urlFault = url.trim() === "" ? "Where is it?" : provider.fault;

  // What is open to everybody is open for reading.
  const writableAtAll = credential !== "" || provider.found === "folder";

  const submit = (): void => {
    setTried(true);
    if (urlFault !== undefined || shownName.trim() === "" || Object.keys(keyFaults).length > 0) return;
    void run(async () => {
      let id = credential === "" ? null : credential;
      if (fresh) {
        setHalf("credential");
        id = (await client.addCredential(specOf(keyValues))).id;
        // The link may fail yet: a second try must not make the credential twice.
        setCredential(id);
        known.reload();
      }
      setHalf("link");
      await client.addLink({
        name: shownName.trim(),
        url: url.trim(),
        credential: id,
        description,
        writable: writable && writableAtAll,
        workspace: workspace === "" ? null : workspace,
        workspace_role: role,
      });
    }).then((done) => done && onAdded());
  };

  const told = (field: string): string | undefined =>
    half === "link" && problem?.field === field ? problem.detail : undefined;
  const atField = told("url") !== undefined || told("name") !== undefined;
  return (
    <Dialog
      title="Add a data link"
      action="Add the link"
      busy={busy}
      problem={atField ? undefined : problem}
      onClose={onClose}
      onSubmit={submit}
    >
      <Field
        label="Address"
        error={(tried ? urlFault : url === "" ? undefined : provider.fault) ?? told("url")}
        help={
          <>
            A bucket or a folder of one: <code>s3://bucket/folder/</code>, <code>gs://…</code>,{" "}
            <code>az://container/…</code>
            {host.ownMachine && (
              <>
                , or a folder: <code>file:///…</code>
              </>
            )}
          </>
        }
      >
        {(control) => (
          <div className="dx-address">
            {provider.found !== undefined && <ProviderIcon provider={provider.found} />}
            <input
              {...control}
              placeholder="s3://1000genomes"
              autoComplete="off"
              spellCheck={false}
              value={url}
              onChange={(event) => setUrl(event.target.value)}
            />
          </div>
        )}
      </Field>
      <Field
        label="Name"
        error={told("name") ?? (tried && shownName.trim() === "" ? "Give it a name" : undefined)}
      >
        {(control) => (
          <input
            {...control}
            maxLength={80}
            value={shownName}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      {provider.found !== "folder" && (
        <CredentialChoice
          provider={provider.found}
          ownMachine={host.ownMachine}
          value={credential}
          known={known.data ?? []}
          onChange={setCredential}
        />
      )}
      {fresh && (
        <fieldset className="dx-fieldset">
          <legend>New credential</legend>
          <CredentialFields
            values={keyValues}
            faults={{
              ...(tried ? keyFaults : {}),
              ...serverFaults(half === "credential" ? problem : undefined),
            }}
            fixed
            onChange={setValues}
          />
        </fieldset>
      )}
      {writableAtAll && (
        <WritableField provider={provider.found ?? "s3"} value={writable} onChange={setWritable} />
      )}
      <details className="dx-more">
        <summary>Description{host.workspaces.length > 0 ? " and workspace" : ""}</summary>
        <DescriptionField value={description} onChange={setDescription} />
        <WorkspaceFields
          workspaces={host.workspaces}
          workspace={workspace}
          role={role}
          onWorkspace={setWorkspace}
          onRole={setRole}
        />
      </details>
    </Dialog>
  );
}

interface CredentialChoiceProps {
  provider: Provider | undefined;
  ownMachine: boolean;
  value: string;
  known: CredentialView[];
  onChange: (credential: string) => void;
}

function CredentialChoice({ provider, ownMachine, value, known, onChange }: CredentialChoiceProps) {
  const fitting = known.filter((one) => provider === undefined || one.provider === provider);
  const chosen = fitting.find((one) => one.id === value);
  return (
    <Field
      label="Access"
      help={
        chosen?.status === "invalid"
          ? `This credential does not work: ${chosen.message}`
          : "Credentials are stored encrypted, and never shown again."
      }
    >
      {(control) => (
        <select
          {...control}
          value={chosen === undefined && value !== NEW ? "" : value}
          onChange={(event) => onChange(event.target.value)}
        >
          <option value="">Public: no credential</option>
          {fitting.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
              {one.status === "invalid" ? " (does not work)" : ""}
            </option>
          ))}
          {provider !== undefined && secretTypes(provider, ownMachine).length > 0 && (
            <option value={NEW}>New credential…</option>
          )}
        </select>
      )}
    </Field>
  );
}

/** The provider follows the address; the kind of access follows the provider. */
function withProvider(
  values: CredentialValues,
  provider: Provider | undefined,
  link: string,
  ownMachine: boolean,
): CredentialValues {
  if (provider === undefined) return values;
  const types = secretTypes(provider, ownMachine);
  const type = types.includes(values.type) ? values.type : (types[0] ?? values.type);
  return { ...values, provider, type, name: values.name === "" ? link : values.name };
}

/** A refusal that names a field, at that field: "secret.key_json" and "key_json" are the same. */
export function serverFaults(problem: Problem | undefined): Record<string, string> {
  const field = problem?.field?.split(".").at(-1);
  return problem === undefined || field === undefined ? {} : { [field]: problem.detail };
}
