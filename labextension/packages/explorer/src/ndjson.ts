import { ProblemError } from "./problems";
import type { Problem } from "./types";

/**
 * The documents of a stream with one per line. A fault in the middle is its last line, `{"problem": …}`; a
 * stream that ends in the middle of a line was cut.
 */
export async function* ndjson<T>(
  response: Response,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      rest += decoder.decode(value, { stream: !done });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") yield parsed(line) as T;
      if (done) break;
    }
    if (rest !== "") yield parsed(rest) as T;
  } finally {
    // Whoever stops reading closes the connection: that is how the server learns of it.
    await reader.cancel().catch(() => undefined);
  }
}

function parsed(line: string): unknown {
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch {
    throw new ProblemError(CUT);
  }
  if (typeof found === "object" && found !== null && "problem" in found)
    throw new ProblemError(found.problem as Problem);
  return found;
}

const CUT: Problem = {
  type: "about:blank",
  title: "The answer was cut off",
  status: 0,
  detail: "the connection ended in the middle of it",
  action: "Try again",
  field: null,
};
