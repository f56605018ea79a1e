import type { Studio } from "../../api/types";
import { Dialog } from "../../components/dialog";
import { useAction } from "../../hooks/action";
import { useApp } from "../../hooks/app";

/** Seconds that people inside are given between being told and the end. */
export const NOTICE_SECONDS = 30;

/** Who else is in the studio now. */
export function othersIn(studio: Studio, me: string): string[] {
  return (studio.session?.people ?? []).filter((name) => name !== me);
}

/** Seconds of notice when `me` stops it: nobody's work ends unannounced. */
export function noticeTo(studio: Studio, me: string): number {
  return othersIn(studio, me).length > 0 ? NOTICE_SECONDS : 0;
}

export function names(people: string[]): string {
  const last = people.at(-1) ?? "";
  return people.length < 2 ? last : `${people.slice(0, -1).join(", ")} and ${last}`;
}

interface StopDialogProps {
  studio: Studio;
  others: string[];
  put: (studio: Studio) => void;
  onClose: () => void;
}

/** Somebody else is inside: they are named here, and told there before it stops. */
export function StopDialog({ studio, others, put, onClose }: StopDialogProps) {
  const { client } = useApp();
  const { busy, problem, run } = useAction();
  const submit = async (): Promise<void> => {
    if (await run(async () => put(await client.stop(studio.id, false, NOTICE_SECONDS)))) onClose();
  };
  return (
    <Dialog
      title={`Stop “${studio.name}” while others are in it?`}
      action="Tell them and stop"
      busy={busy}
      problem={problem}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      <p>
        <strong>
          {names(others)} {others.length === 1 ? "is" : "are"} in it now.
        </strong>{" "}
        They are told, and it stops {NOTICE_SECONDS} seconds later. Everything is saved; running programs end.
      </p>
    </Dialog>
  );
}
