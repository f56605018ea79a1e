import * as React from "react";
import { useExplorer } from "../context";
import { useAction } from "../hooks/use-action";
import { useLoad } from "../hooks/use-load";
import { count, sentence } from "../text";
import type { CredentialView } from "../types";
import { Button, IconButton } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Icon, ProviderIcon } from "../ui/icons";
import { Busy, Empty, ProblemNote } from "../ui/problem";
import { serverFaults } from "./add-link";
import { CredentialFields } from "./credential-form";
import { EMPTY, SECRET_WORDS, faultsOf, specOf } from "./credential-values";
import { RemoveCredential } from "./remove";

export function CredentialsView() {
  const { client, host, ask } = useExplorer();
  const list = useLoad("credentials", (signal) => client.credentials(signal));
  const { reload } = list;
  const then = (close: () => void) => (): void => {
    close();
    reload();
  };
  const add = (): void => ask((close) => <AddCredential onClose={close} onAdded={then(close)} />);
  return (
    <>
      <div className="dx-credentials-head">
        <p>Stored encrypted. Nothing secret comes back to the browser.</p>
        <Button icon="plus" reason={host.linksElsewhere} onClick={add}>
          Add a credential
        </Button>
      </div>
      {list.problem !== undefined && <ProblemNote problem={list.problem} onRetry={reload} />}
      {list.data === undefined && list.problem === undefined && <Busy label="Loading credentials" />}
      {list.data?.length === 0 && (
        <Empty title="No credentials yet" icon={<Icon name="key" />}>
          <p>With a credential the buckets it reaches come into your list by themselves.</p>
        </Empty>
      )}
      <ul className="dx-link-list" aria-label="Credentials">
        {list.data?.map((credential) => (
          <CredentialRow
            key={credential.id}
            credential={credential}
            onRemove={() =>
              ask((close) => (
                <RemoveCredential credential={credential} onClose={close} onRemoved={then(close)} />
              ))
            }
          />
        ))}
      </ul>
    </>
  );
}

const STATUS_WORDS = { valid: "Works", invalid: "Does not work", unknown: "Not tried yet" } as const;
const STATUS_STYLE = { valid: "dx-badge-ok", invalid: "dx-badge-error", unknown: "" } as const;

function CredentialRow({ credential, onRemove }: { credential: CredentialView; onRemove: () => void }) {
  const { compact, host } = useExplorer();
  const facts = [
    SECRET_WORDS[credential.type],
    credential.region,
    credential.endpoint,
    credential.links_found === null ? null : count(credential.links_found, "bucket"),
    credential.source === "offered" ? "offered by an administrator" : null,
  ].filter((fact) => fact !== null && fact !== "");
  return (
    <li className="dx-link">
      <ProviderIcon provider={credential.provider} />
      <div className="dx-link-what">
        <h2>{credential.name}</h2>
        <p>{facts.join(" · ")}</p>
      </div>
      <div className="dx-link-badges">
        <span className={`dx-badge ${STATUS_STYLE[credential.status]}`}>
          {credential.status === "invalid" && <Icon name="warning" />}
          {credential.status === "valid" && <Icon name="check" />}
          {(!compact || credential.status !== "valid") && STATUS_WORDS[credential.status]}
        </span>
      </div>
      <div className="dx-link-buttons">
        {credential.may_edit && host.linksElsewhere === undefined && (
          <IconButton icon="trash" label={`Remove ${credential.name}`} onClick={onRemove} />
        )}
      </div>
      {credential.status === "invalid" && credential.message !== "" && (
        <p className="dx-link-message">
          <Icon name="warning" /> {sentence(credential.message)}
        </p>
      )}
    </li>
  );
}

function AddCredential({ onClose, onAdded }: { onClose: () => void; onAdded: () => void }) {
  const { client } = useExplorer();
  const [values, setValues] = React.useState(EMPTY);
  const [tried, setTried] = React.useState(false);
  const { busy, problem, run } = useAction();
  const faults = faultsOf(values);
  const submit = (): void => {
    setTried(true);
    if (Object.keys(faults).length > 0) return;
    void run(() => client.addCredential(specOf(values))).then((done) => done && onAdded());
  };
  return (
    <Dialog
      title="Add a credential"
      action="Add the credential"
      busy={busy}
      problem={problem}
      onClose={onClose}
      onSubmit={submit}
    >
      <CredentialFields
        values={values}
        faults={{ ...(tried ? faults : {}), ...serverFaults(problem) }}
        onChange={setValues}
      />
    </Dialog>
  );
}
