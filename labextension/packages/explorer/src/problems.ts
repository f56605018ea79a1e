import type { Problem } from "./types";

/** The server answered with a problem document, or with something that is told as one. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }
}

const SIGNED_OUT: Problem = {
  type: "about:blank",
  title: "You are not signed in any more",
  status: 401,
  detail: "your sign-in has ended, or somebody signed out in another tab",
  action: "Load the page again to sign in",
  field: null,
};

/** The problem that a failed answer tells, whoever gave it: the service, the Hub or a proxy. */
export async function problemOf(response: Response): Promise<Problem> {
  if (response.type === "opaqueredirect" || response.status === 401) return SIGNED_OUT;
  const fallback: Problem = {
    type: "about:blank",
    title: `The service answered with status ${response.status}`,
    status: response.status,
    detail: response.statusText,
    action: "Load the page again; if it stays so, tell an administrator",
    field: null,
  };
  if (!(response.headers.get("Content-Type") ?? "").includes("json")) return fallback;
  const given = (await response.json().catch(() => ({}))) as Partial<Problem> & { message?: string };
  if (given.title === undefined) return { ...fallback, detail: given.message ?? fallback.detail };
  return { ...fallback, detail: "", action: "", ...given };
}

/** The problem of anything that was thrown. A fault of the pages themselves is told as one. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  return {
    type: "about:blank",
    title: "The page has a fault",
    status: 0,
    detail: error instanceof Error ? error.message : String(error),
    action: "Load the page again; if it stays so, tell an administrator",
    field: null,
  };
}

/** Whether trying the same again may well succeed: nobody answered, or the far side was busy. */
export const isPassing = ({ status }: Problem): boolean => status === 0 || status === 429 || status >= 500;

export const isAbort = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "AbortError";
