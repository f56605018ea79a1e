import { useRef, useState, type SyntheticEvent } from "react";
import type { ShareLink, Studio } from "../../../api/types";
import { Field } from "../../../components/field";
import { Icon } from "../../../components/icons";
import { ProblemBanner } from "../../../components/problem";
import { useApp } from "../../../hooks/app";
import { useNow } from "../../../hooks/reach";
import { dateTime, duration } from "../../../text";
import { useSharedList } from "./shared-list";

const LENGTHS = [
  { hours: 1, words: "1 hour" },
  { hours: 24, words: "1 day" },
  { hours: 7 * 24, words: "7 days" },
  { hours: 30 * 24, words: "30 days" },
];
const USUAL = 7 * 24;

export function Links({ studio, place }: { studio: Studio; place: string }) {
  const { client } = useApp();
  const { items, busy, problem, clear, act } = useSharedList(
    `share-links ${studio.id}`,
    (signal) => client.shareLinks(studio.id, signal),
    5000,
  );
  const [hours, setHours] = useState(USUAL);
  const [mayStart, setMayStart] = useState(false);
  const make = (event: SyntheticEvent): void => {
    event.preventDefault();
    void act(
      () => client.makeShareLink(studio.id, { expires_in_hours: hours, may_start: mayStart }),
      "The link is made",
    );
  };
  return (
    <section aria-labelledby="share-links">
      <h3 id="share-links">By a link</h3>
      <p>Whoever has it and can sign in here comes in, until it ends. Ending it shows them out at once.</p>
      {problem && <ProblemBanner problem={problem} onDismiss={clear} />}
      <form className="st-share-form" onSubmit={make}>
        <Field label="Ends after">
          {(control) => (
            <select
              {...control}
              className="form-select"
              value={hours}
              onChange={(event) => setHours(Number(event.target.value))}
            >
              {LENGTHS.map((length) => (
                <option key={length.hours} value={length.hours}>
                  {length.words}
                </option>
              ))}
            </select>
          )}
        </Field>
        <MayStart checked={mayStart} onChange={setMayStart} />
        <button type="submit" className="btn btn-primary" disabled={busy}>
          <Icon name="plus" /> Make a link
        </button>
      </form>
      <ul className="st-shares" aria-label="Links">
        {items?.map((link) => (
          <Row
            key={link.id}
            link={link}
            place={place}
            busy={busy}
            onEnd={() => void act(() => client.endShareLink(studio.id, link.id), "The link is ended")}
          />
        ))}
      </ul>
    </section>
  );
}

interface RowProps {
  link: ShareLink;
  place: string;
  busy: boolean;
  onEnd: () => void;
}

function Row({ link, place, busy, onEnd }: RowProps) {
  const now = useNow(10_000);
  const { announce } = useApp();
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const address = location.origin + link.url + (place === "" ? "" : `?open=${encodeURIComponent(place)}`);
  const copy = async (): Promise<void> => {
    field.current?.select();
    await navigator.clipboard.writeText(address);
    setCopied(true);
    announce("The link is copied");
  };
  return (
    <li className="st-share" data-link={link.id}>
      <div className="st-share-address">
        <input
          ref={field}
          className="form-control form-control-sm"
          aria-label="Address of the link"
          readOnly
          value={address}
          onFocus={(event) => event.target.select()}
        />
        <button
          type="button"
          className="btn btn-sm btn-outline-secondary"
          onClick={() => void copy().catch(() => field.current?.focus())}
        >
          <Icon name={copied ? "check" : "save"} /> {copied ? "Copied" : "Copy"}
        </button>
        <button type="button" className="btn btn-sm btn-outline-danger" disabled={busy} onClick={onEnd}>
          <Icon name="cross" /> End link
        </button>
      </div>
      <p>
        <time title={dateTime(link.expires_at)}>
          Ends in {duration(Math.max(0, Date.parse(link.expires_at) - now))}
        </time>
        {link.may_start && " · may start the studio"}
        {" · "}
        {link.people.length === 0 ? "nobody came by it yet" : `came by it: ${link.people.join(", ")}`}
      </p>
    </li>
  );
}

export function MayStart({ checked, onChange }: { checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <label className="form-check st-share-start">
      <input
        type="checkbox"
        className="form-check-input"
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span className="form-check-label">They may also start the studio</span>
    </label>
  );
}
