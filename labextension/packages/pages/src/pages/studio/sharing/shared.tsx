import type { Studio } from "../../../api/types";
import { Notice } from "../../../components/problem";

/** What somebody reads with whom the studio is shared. */
export function Shared({ studio }: { studio: Studio }) {
  const { owner, state, may } = studio;
  const resting = state === "stopped" || state === "errored";
  return (
    <Notice kind="secondary">
      <p>This studio of {owner} is shared with you, to be opened while it runs.</p>
      {resting && (
        <p className="st-action">
          {may.includes("start")
            ? "It does not run now. You may start it."
            : `It does not run now. Ask ${owner} to start it.`}
        </p>
      )}
      <p>In it you act with the rights of {owner}: on the files, the programs and the data.</p>
    </Notice>
  );
}
