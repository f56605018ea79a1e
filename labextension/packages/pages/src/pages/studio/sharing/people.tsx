import { useId, useState, type SyntheticEvent } from "react";
import type { Share, Studio } from "../../../api/types";
import { Field } from "../../../components/field";
import { Icon } from "../../../components/icons";
import { ProblemBanner } from "../../../components/problem";
import { useApp } from "../../../hooks/app";
import { usePolled } from "../../../hooks/polled";
import { errorsOf } from "../../../forms/values";
import { MayStart } from "./links";
import { useSharedList, type Shares } from "./shared-list";

export function People({ studio }: { studio: Studio }) {
  const { client } = useApp();
  const { items, busy, problem, clear, act } = useSharedList(
    `shares ${studio.id}`,
    (signal) => client.shares(studio.id, signal),
    3000,
  );
  return (
    <section aria-labelledby="share-people">
      <h3 id="share-people">By name</h3>
      <p>
        They find the studio in their list, under “Shared with me”. Taking somebody out shows them out at
        once.
      </p>
      <NameForm studio={studio} busy={busy} problem={problem} clear={clear} act={act} />
      <ul className="st-shares" aria-label="People and groups">
        {items?.map((share) => (
          <Row
            key={share.id}
            share={share}
            busy={busy}
            onEnd={() => void act(() => client.endShare(studio.id, share.id), `${share.name} is taken out`)}
          />
        ))}
      </ul>
    </section>
  );
}

type NameFormProps = Omit<Shares, "items"> & { studio: Studio };

function NameForm({ studio, busy, problem, clear, act }: NameFormProps) {
  const { client } = useApp();
  const me = usePolled("me", () => client.me());
  const groups = me.data?.groups ?? [];
  const options = useId();
  const [kind, setKind] = useState<Share["kind"]>("user");
  const [name, setName] = useState("");
  const [mayStart, setMayStart] = useState(false);
  const atField = problem && errorsOf(problem, ["user", "group"]);
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    const wanted = name.trim();
    if (wanted === "") return;
    const spec = { [kind]: wanted, may_start: mayStart };
    if (await act(() => client.share(studio.id, spec), `Shared with ${wanted}`)) setName("");
  };
  return (
    <>
      {problem && !atField?.user && !atField?.group && <ProblemBanner problem={problem} onDismiss={clear} />}
      <form className="st-share-form" onSubmit={(event) => void submit(event)}>
        <Field label="Share with">
          {(control) => (
            <select
              {...control}
              className="form-select"
              value={kind}
              onChange={(event) => setKind(event.target.value === "group" ? "group" : "user")}
            >
              <option value="user">a person</option>
              <option value="group">a group</option>
            </select>
          )}
        </Field>
        <Field label={kind === "group" ? "Group" : "User name"} error={atField?.user ?? atField?.group}>
          {(control) => (
            <input
              {...control}
              className="form-control"
              autoComplete="off"
              list={kind === "group" ? options : undefined}
              value={name}
              onChange={(event) => {
                clear();
                setName(event.target.value);
              }}
            />
          )}
        </Field>
        <datalist id={options}>
          {groups.map((group) => (
            <option key={group} value={group} />
          ))}
        </datalist>
        <MayStart checked={mayStart} onChange={setMayStart} />
        <button type="submit" className="btn btn-primary" disabled={busy || name.trim() === ""}>
          <Icon name="plus" /> Share
        </button>
      </form>
    </>
  );
}

function Row({ share, busy, onEnd }: { share: Share; busy: boolean; onEnd: () => void }) {
  return (
    <li className="st-share st-share-person" data-share={share.id}>
      <Icon name="person" />
      <p>
        <strong>{share.name}</strong>
        {share.kind === "group" && " (group)"}
        {share.link_id !== null && " · came by a link"}
        {share.may_start && " · may start the studio"}
        {share.here && <span className="st-badge st-current">Here now</span>}
      </p>
      <button
        type="button"
        className="btn btn-sm btn-outline-danger"
        aria-label={`Take out ${share.name}`}
        disabled={busy}
        onClick={onEnd}
      >
        <Icon name="cross" /> Take out
      </button>
    </li>
  );
}
