import type { Studio } from "../../../api/types";
import { Notice } from "../../../components/problem";
import { Links } from "./links";
import { People } from "./people";

interface SharingProps {
  studio: Studio;
  /** A place inside the studio that links made now lead to, such as a notebook; empty: its front page. */
  place: string;
}

/** Who may come into a studio besides its owner: by links, and by name. */
export function Sharing({ studio, place }: SharingProps) {
  return (
    <>
      <Notice kind="warning">
        <strong>Whoever comes in acts as {studio.owner}.</strong>
        <p>
          They see and change all files here, run programs, and read and write data with the rights of{" "}
          {studio.owner}. Let in only whom you would let sit at your keyboard.
        </p>
      </Notice>
      <div className="st-sharing">
        <Links studio={studio} place={place} />
        <People studio={studio} />
      </div>
    </>
  );
}
