import type { Transport } from "../src/client";
import type { CredentialView, Entry, EntryPage, LinkView, Problem } from "../src/types";

/** A made-up API behind the transport: routes by "METHOD /path", and a record of what was asked. */

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  signal: AbortSignal | undefined;
}

type Respond = (asked: Asked) => unknown;

export class Refusal {
  readonly problem: Problem;
  constructor(status: number, title: string, more: Partial<Problem> = {}) {
    this.problem = { type: "about:blank", status, title, detail: "", action: "", field: null, ...more };
  }
}

/** Lines that come one by one; a promise among them is waited for. */
export class Lines {
  constructor(readonly lines: unknown[]) {}
  response(signal: AbortSignal | undefined): Response {
    const { lines } = this;
    const encoder = new TextEncoder();
    const body = new ReadableStream({
      async start(controller) {
        for (const line of lines) {
          const found: unknown = await line;
          if (signal?.aborted) return;
          if (found !== undefined) controller.enqueue(encoder.encode(`${JSON.stringify(found)}\n`));
        }
        controller.close();
      },
    });
    return new Response(body, { headers: { "Content-Type": "application/x-ndjson" } });
  }
}

export class Server implements Transport {
  readonly base = "/@/space%20word/services/studios/api/v1";
  readonly asked: Asked[] = [];
  /** Nobody answers: the network is down. */
  down = false;
  private readonly routes = new Map<string, unknown>();

  constructor() {
    this.on("GET /data-links", { items: [link()], next: null });
    this.on("GET /data-credentials", { items: [], next: null });
    this.on("GET /data-links/l1", link());
    this.on("GET /data-links/l1/browse", page());
  }

  on(route: string, answer: unknown): this {
    this.routes.set(route, answer);
    return this;
  }

  all(method: string, path: string): Asked[] {
    return this.asked.filter((asked) => asked.method === method && asked.path === path);
  }

  last(method: string, path: string): Asked | undefined {
    return this.all(method, path).at(-1);
  }

  request = async (path: string, init: RequestInit): Promise<Response> => {
    const url = new URL(path, "http://here");
    const signal = init.signal ?? undefined;
    const asked: Asked = {
      method: init.method ?? "GET",
      path: url.pathname,
      query: url.searchParams,
      body: typeof init.body === "string" ? JSON.parse(init.body) : init.body,
      signal,
    };
    this.asked.push(asked);
    if (this.down) throw new TypeError("Failed to fetch");
    const route = `${asked.method} ${asked.path}`;
    if (!this.routes.has(route)) throw new Error(`no route: ${route}`);
    const found = this.routes.get(route);
    const answer: unknown =
      typeof found === "function" ? await Promise.race([(found as Respond)(asked), aborted(signal)]) : found;
    signal?.throwIfAborted();
    if (answer instanceof Response) return answer;
    if (answer instanceof Lines) return answer.response(signal);
    if (answer instanceof Refusal)
      return new Response(asked.method === "HEAD" ? null : JSON.stringify(answer.problem), {
        status: answer.problem.status,
        headers: { "Content-Type": "application/problem+json" },
      });
    if (answer === null) return new Response(null, { status: 204 });
    return new Response(JSON.stringify(answer), { headers: { "Content-Type": "application/json" } });
  };
}

/** Never answers, but with the fault of an aborted request. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) =>
    signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError"))),
  );
}

export function link(changes: Partial<LinkView> = {}): LinkView {
  return {
    id: "l1",
    name: "Lab data",
    description: "",
    provider: "s3",
    url: "s3://lab/data/",
    bucket: "lab",
    prefix: "data/",
    region: "eu-west-1",
    endpoint: null,
    source: "added",
    owner: "ada",
    workspace: null,
    workspace_role: null,
    credential: "mine",
    role: "write",
    writable: true,
    why: "its owner allows it",
    starred: false,
    hidden: false,
    status: "valid",
    message: "",
    may_edit: true,
    ...changes,
  };
}

export function credential(changes: Partial<CredentialView> = {}): CredentialView {
  return {
    id: "c1",
    name: "mine",
    provider: "s3",
    type: "access-key",
    endpoint: null,
    region: null,
    source: "added",
    status: "valid",
    message: "",
    links_found: 2,
    may_edit: true,
    ...changes,
  };
}

export function file(path: string, changes: Partial<Entry> = {}): Entry {
  return {
    name: path.slice(path.lastIndexOf("/") + 1),
    path,
    kind: "file",
    size: 12,
    modified: "2026-11-22T10:00:00Z",
    storage_class: null,
    etag: null,
    ...changes,
  };
}

export function folder(path: string): Entry {
  const name = path.slice(0, -1);
  return file(path, {
    name: name.slice(name.lastIndexOf("/") + 1),
    kind: "folder",
    size: null,
    modified: null,
  });
}

export const page = (items: Entry[] = [], next: string | null = null): EntryPage => ({
  items,
  next,
  truncated: false,
});
