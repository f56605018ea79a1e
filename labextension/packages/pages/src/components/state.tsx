import type { CheckpointStatus, StudioState } from "../api/types";
import { Icon, type IconName } from "./icons";

const STATES: Record<StudioState, { word: string; icon: IconName }> = {
  starting: { word: "Starting", icon: "spin" },
  running: { word: "Running", icon: "dot" },
  stopping: { word: "Stopping", icon: "spin" },
  stopped: { word: "Stopped", icon: "moon" },
  errored: { word: "Errored", icon: "warning" },
};

export const stateWord = (state: StudioState): string => STATES[state].word;

export function StateBadge({ state }: { state: StudioState }) {
  const { word, icon } = STATES[state];
  return (
    <span className={`st-badge st-state-${state}`} data-state={state}>
      <Icon name={icon} /> {word}
    </span>
  );
}

const STATUSES: Record<CheckpointStatus, { word: string; icon: IconName; why: string }> = {
  interim: {
    word: "Interim",
    icon: "clock",
    why: "Saved while the session runs, or before it was lost. It can be restored as of the time it was saved.",
  },
  finalised: { word: "Finalised", icon: "check", why: "Complete: it will not change any more." },
  invalid: {
    word: "Invalid",
    icon: "warning",
    why: "A layer is missing or damaged, so it cannot be restored.",
  },
};

export const statusWhy = (status: CheckpointStatus): string => STATUSES[status].why;

export function StatusBadge({ status }: { status: CheckpointStatus }) {
  const { word, icon, why } = STATUSES[status];
  return (
    <span className={`st-badge st-status-${status}`} title={why} data-status={status}>
      <Icon name={icon} /> {word}
    </span>
  );
}
