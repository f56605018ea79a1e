/** A length of time as people say it: "an hour", "2 h", "10 min", "45 s". */
export function spoken(seconds: number): string {
  if (seconds === 3600) return "an hour";
  if (seconds >= 3600) {
    const minutes = Math.floor((seconds % 3600) / 60);
    return `${Math.floor(seconds / 3600)} h${minutes === 0 ? "" : ` ${minutes} min`}`;
  }
  return seconds >= 60 ? `${Math.floor(seconds / 60)} min` : `${Math.max(0, Math.round(seconds))} s`;
}

/** Seconds until `time`, 0 when it has passed. */
export const until = (time: string, now = Date.now()): number => Math.max(0, (Date.parse(time) - now) / 1000);

/** The warning that is due before the end, in minutes; null: none. The same as the service's own. */
export function dueWarning(endsAt: string | null, warnings: number[], now = Date.now()): number | null {
  if (endsAt === null) return null;
  const left = until(endsAt, now);
  const due = warnings.filter((minutes) => left > 0 && left <= minutes * 60);
  return due.length === 0 ? null : Math.min(...due);
}
