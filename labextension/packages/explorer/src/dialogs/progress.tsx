import * as React from "react";
import { number } from "../text";
import { Button } from "../ui/button";
import type { Change } from "./use-change";

/** How far a change has come, and the way to stop it. */
export function ChangeProgress({ change, verb }: { change: Change; verb: string }) {
  if (!change.running) return null;
  const { done, total } = change;
  return (
    <div className="dx-change" role="status">
      <progress
        className="dx-progress"
        aria-label={verb}
        {...(total === null ? {} : { max: Math.max(1, total), value: done })}
      />
      <span>
        {verb}: {number(done)}
        {total !== null && ` of ${number(total)}`}
      </span>
      <Button icon="stop" onClick={change.stop}>
        Stop
      </Button>
    </div>
  );
}
