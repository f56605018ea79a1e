import { PHASES, type Phase, type PhaseName } from "./api/types";

/** What each phase of a start is called, and what happens in it. */
export const PHASE_WORDS: Record<PhaseName, { title: string; what: string }> = {
  queued: { title: "Queue", what: "waiting for a place to run" },
  host: { title: "Host", what: "the session’s own process comes up" },
  image: { title: "Image", what: "the filesystem is prepared" },
  restore: { title: "Restore", what: "what was saved is put back" },
  data: { title: "Data", what: "data is mounted" },
  app: { title: "App", what: "the app starts and answers" },
  ready: { title: "Ready", what: "the door is opened for you" },
};

/** All phases in their order; those the session has not told of yet are pending. */
export function allPhases(given: Phase[]): Phase[] {
  return PHASES.map(
    (name) =>
      given.find((phase) => phase.name === name) ?? {
        name,
        status: "pending",
        started_at: null,
        ended_at: null,
        message: "",
      },
  );
}

/** The phase that runs or failed; between two, the next one. */
export function currentPhase(given: Phase[]): Phase | undefined {
  const phases = allPhases(given);
  return (
    phases.find((p) => p.status === "running" || p.status === "failed") ??
    phases.find((p) => p.status !== "done")
  );
}
