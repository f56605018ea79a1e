import * as React from "react";
import { useExplorer } from "../context";
import { useAction } from "../hooks/use-action";
import { dateTime, visible } from "../text";
import type { Entry, LinkView, Presigned } from "../types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field } from "../ui/field";
import { Note } from "../ui/problem";

const EXPIRIES: [string, number][] = [
  ["15 minutes", 900],
  ["1 hour", 3600],
  ["8 hours", 8 * 3600],
  ["1 day", 86_400],
  ["7 days", 7 * 86_400],
];

interface PresignProps {
  link: LinkView;
  entry: Entry;
  onClose: () => void;
}

export function PresignDialog({ link, entry, onClose }: PresignProps) {
  const { client, host } = useExplorer();
  const [seconds, setSeconds] = React.useState(3600);
  const [made, setMade] = React.useState<Presigned>();
  const [copied, setCopied] = React.useState(false);
  const { busy, problem, run } = useAction();
  const make = (): void =>
    void run(async () => {
      setCopied(false);
      setMade(await client.presign(link.id, entry.path, seconds));
    });
  return (
    <Dialog
      title={`A link to “${visible(entry.name)}” that expires`}
      action={made === undefined ? "Make the link" : "Make another"}
      close="Close"
      busy={busy}
      problem={problem}
      onClose={onClose}
      onSubmit={make}
    >
      <Note kind="warning">
        Whoever has this link can download the file without signing in, until it expires.
      </Note>
      <Field label="Expires after">
        {(control) => (
          <select {...control} value={seconds} onChange={(event) => setSeconds(Number(event.target.value))}>
            {EXPIRIES.map(([word, value]) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </select>
        )}
      </Field>
      {made !== undefined && (
        <>
          <Field
            label="Link"
            help={`Expires on ${dateTime(made.expires_at)}, or earlier with the credential.`}
          >
            {(control) => (
              <textarea
                {...control}
                readOnly
                rows={3}
                value={made.url}
                onFocus={(event) => event.target.select()}
              />
            )}
          </Field>
          <Button
            icon={copied ? "check" : "copy"}
            onClick={() => void host.copy(made.url).then(() => setCopied(true))}
          >
            {copied ? "Copied" : "Copy the link"}
          </Button>
        </>
      )}
    </Dialog>
  );
}
