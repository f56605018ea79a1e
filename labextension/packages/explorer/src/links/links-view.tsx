import * as React from "react";
import { useExplorer } from "../context";
import { useAction } from "../hooks/use-action";
import { useLoad, useRested } from "../hooks/use-load";
import type { ExplorerCommands } from "../host";
import { count } from "../text";
import type { LinkView, Provider } from "../types";
import { Button, IconButton } from "../ui/button";
import { Icon, PROVIDER_NAMES, ProviderIcon } from "../ui/icons";
import { Busy, Empty, ProblemNote } from "../ui/problem";
import { AddLink } from "./add-link";
import { CredentialsView } from "./credentials-view";
import { LinkRow } from "./link-row";

type Hidden = "no" | "only" | "all";
type Shown = "links" | "credentials";

interface LinksViewProps {
  onOpen: (link: LinkView) => void;
  onCommands: (commands: ExplorerCommands) => void;
}

/** All data links of a person side by side, whatever the cloud; and the credentials that they use. */
export function LinksView({ onOpen, onCommands }: LinksViewProps) {
  const { client, host, ask, compact } = useExplorer();
  const [shown, setShown] = React.useState<Shown>("links");
  const [q, setQ] = React.useState("");
  const [provider, setProvider] = React.useState<Provider | "">("");
  const [hidden, setHidden] = React.useState<Hidden>("no");
  const filter = React.useRef<HTMLInputElement>(null);
  const rested = useRested(q, 200);
  const list = useLoad(JSON.stringify([rested, hidden]), (signal) =>
    client.links({ q: rested, hidden }, signal),
  );
  const refreshing = useAction();
  const { reload } = list;

  // A credential that was added meanwhile has brought its buckets along.
  const show = (next: Shown): void => {
    setShown(next);
    if (next === "links") reload();
  };
  const add = React.useCallback(
    () =>
      ask((close) => (
        <AddLink
          onClose={close}
          onAdded={() => {
            close();
            reload();
          }}
        />
      )),
    [ask, reload],
  );
  const refresh = React.useCallback(
    () =>
      void refreshing.run(async () => {
        await client.refreshLinks();
        reload();
      }),
    // `run` is stable; the object around it is not.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [client, reload, refreshing.run],
  );
  React.useEffect(
    () =>
      onCommands({
        refresh,
        addLink: host.linksElsewhere === undefined ? add : undefined,
        focusFilter: () => filter.current?.focus(),
      }),
    [onCommands, refresh, add, host.linksElsewhere],
  );

  // While another filter loads, what was there stays: no flicker.
  const [kept, setKept] = React.useState<LinkView[]>();
  if (list.data !== undefined && list.data !== kept) setKept(list.data);
  const providers = [...new Set((kept ?? []).map((link) => link.provider))];
  const rows = (kept ?? []).filter((link) => provider === "" || link.provider === provider);
  const filtered = q !== "" || hidden !== "no" || provider !== "";

  return (
    <div className="dx-links">
      <div className="dx-links-head">
        <div className="dx-switch" role="group" aria-label="Show">
          <Choice value="links" now={shown} onChange={show} icon="database" label="Data links" />
          <Choice value="credentials" now={shown} onChange={show} icon="key" label="Credentials" />
        </div>
        {shown === "links" && (
          <div className="dx-links-buttons">
            <IconButton
              icon={refreshing.busy ? "spin" : "refresh"}
              label="Look for buckets again"
              disabled={refreshing.busy}
              onClick={refresh}
            />
            {compact ? (
              <IconButton icon="plus" label="Add a link" reason={host.linksElsewhere} onClick={add} />
            ) : (
              <Button kind="primary" icon="plus" reason={host.linksElsewhere} onClick={add}>
                Add a link
              </Button>
            )}
          </div>
        )}
      </div>
      {shown === "credentials" ? (
        <CredentialsView />
      ) : (
        <>
          <div className="dx-links-filter" role="search">
            <div className="dx-filter">
              <Icon name="search" />
              <input
                ref={filter}
                type="search"
                className="dx-input"
                placeholder={compact ? "Filter links" : "Filter by name, provider:s3, region:eu-west-1"}
                aria-label="Filter data links"
                value={q}
                maxLength={200}
                onChange={(event) => setQ(event.target.value)}
              />
            </div>
            {providers.length + (provider === "" ? 0 : 1) > 1 && (
              <select
                className="dx-input"
                aria-label="Provider"
                value={provider}
                onChange={(event) => setProvider(event.target.value as Provider | "")}
              >
                <option value="">All providers</option>
                {providers.map((one) => (
                  <option key={one} value={one}>
                    {PROVIDER_NAMES[one]}
                  </option>
                ))}
              </select>
            )}
            <select
              className="dx-input"
              aria-label="Hidden links"
              value={hidden}
              onChange={(event) => setHidden(event.target.value as Hidden)}
            >
              <option value="no">Without hidden</option>
              <option value="all">With hidden</option>
              <option value="only">Only hidden</option>
            </select>
          </div>
          {list.problem !== undefined && <ProblemNote problem={list.problem} onRetry={reload} />}
          {refreshing.problem !== undefined && (
            <ProblemNote problem={refreshing.problem} onDismiss={refreshing.clear} />
          )}
          {kept === undefined && list.problem === undefined && <Busy label="Looking for your data" />}
          {kept !== undefined && rows.length === 0 && !list.loading && (
            <NoLinks
              filtered={filtered}
              onAdd={add}
              onClear={() => {
                setQ("");
                setHidden("no");
                setProvider("");
              }}
            />
          )}
          <ul className="dx-link-list" aria-label="Data links" aria-busy={list.loading}>
            {[...rows.filter((one) => one.starred), ...rows.filter((one) => !one.starred)].map((link) => (
              <LinkRow key={link.id} link={link} onOpen={() => onOpen(link)} onChanged={reload} />
            ))}
          </ul>
          <p className="dx-sr" role="status">
            {kept !== undefined && !list.loading ? count(rows.length, "data link") : ""}
          </p>
        </>
      )}
    </div>
  );
}

interface ChoiceProps {
  value: Shown;
  now: Shown;
  icon: "database" | "key";
  label: string;
  onChange: (value: Shown) => void;
}

function Choice({ value, now, icon, label, onChange }: ChoiceProps) {
  return (
    <button type="button" aria-pressed={value === now} onClick={() => onChange(value)}>
      <Icon name={icon} /> {label}
    </button>
  );
}

function NoLinks({
  filtered,
  onAdd,
  onClear,
}: {
  filtered: boolean;
  onAdd: () => void;
  onClear: () => void;
}) {
  const { host } = useExplorer();
  if (filtered)
    return (
      <Empty title="No link matches">
        <p>None has this name, provider and region.</p>
        <Button onClick={onClear}>Clear the filters</Button>
      </Empty>
    );
  return (
    <Empty
      title="No data yet"
      icon={
        <span className="dx-empty-providers">
          <ProviderIcon provider="s3" />
          <ProviderIcon provider="gcs" />
          <ProviderIcon provider="azure" />
        </span>
      }
    >
      <p>
        A data link is a bucket, or a folder of one, under a name. Buckets that your credentials reach come by
        themselves; any other, also a public one such as <code>s3://1000genomes</code>, can be added.
      </p>
      <Button kind="primary" icon="plus" reason={host.linksElsewhere} onClick={onAdd}>
        Add a link
      </Button>
    </Empty>
  );
}
