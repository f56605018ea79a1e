import { vi } from "vitest";
import type { Checkpoint, ComputeEnvironment, Problem, Session, Studio, Template } from "../src/api/types";

/** A made-up service behind fetch: routes by "METHOD /path", and a record of what was asked. */

export const BASE = "/@/space%20word/services/studios/";
export const CONFIG = {
  base: BASE,
  api: `${BASE}api/v1`,
  hub: "/@/space%20word/hub/",
  logout: "/@/space%20word/hub/logout",
  user: { name: "alpha", admin: false },
};

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: unknown;
}

type Respond = (asked: Asked) => unknown;
type Responder = object | null | Respond;

export class Refusal {
  readonly problem: Problem;
  constructor(problem: Partial<Problem> & { title: string; status: number }) {
    this.problem = { type: "about:blank", detail: "", action: "", field: null, ...problem };
  }
}

export class Service {
  readonly asked: Asked[] = [];
  /** Nobody answers: the network is down. */
  down = false;
  private readonly routes = new Map<string, Responder>();

  constructor() {
    this.on("GET /templates", { items: [TEMPLATE], next: null });
    this.on("GET /compute-environments", { items: [ENVIRONMENT], next: null });
    vi.stubGlobal("fetch", this.fetch);
  }

  on(route: string, responder: Responder): this {
    this.routes.set(route, responder);
    return this;
  }

  /** A studio with its pages' lists; the long poll waits until the studio is replaced. */
  show(
    studio: Studio,
    lists: { checkpoints?: Checkpoint[]; sessions?: Session[] } = {},
  ): (next: Studio) => void {
    let [current, version] = [studio, 1];
    let wake: () => void = () => undefined;
    const replace = (next: Studio): void => {
      [current, version] = [next, version + 1];
      wake();
    };
    this.on(`GET /studios/${studio.id}`, () => current);
    this.on(`GET /studios/${studio.id}/progress`, async ({ query }: Asked) => {
      if (query.get("wait") !== "0" && Number(query.get("after")) >= version)
        await new Promise<void>((resolve) => (wake = resolve));
      return { version, studio: current };
    });
    this.on(`GET /studios/${studio.id}/checkpoints`, { items: lists.checkpoints ?? [], next: null });
    this.on(`GET /studios/${studio.id}/sessions`, { items: lists.sessions ?? [], next: null });
    return replace;
  }

  find(method: string, path: string): Asked | undefined {
    return this.asked.findLast((asked) => asked.method === method && asked.path === path);
  }

  private readonly fetch = async (input: string, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input, location.origin);
    const prefix = new URL(CONFIG.api, location.origin).pathname;
    if (!url.pathname.startsWith(prefix)) throw new Error(`outside of the API: ${input}`);
    const asked: Asked = {
      method: init.method ?? "GET",
      path: url.pathname.slice(prefix.length),
      query: url.searchParams,
      headers: new Headers(init.headers),
      body: typeof init.body === "string" ? JSON.parse(init.body) : undefined,
    };
    this.asked.push(asked);
    if (this.down) throw new TypeError("Failed to fetch");
    const responder = this.routes.get(`${asked.method} ${asked.path}`);
    const answer: unknown = typeof responder === "function" ? await (responder as Respond)(asked) : responder;
    if (answer instanceof Response) return answer;
    if (answer instanceof Refusal)
      return new Response(JSON.stringify(answer.problem), {
        status: answer.problem.status,
        headers: { "Content-Type": "application/problem+json" },
      });
    if (responder === undefined) throw new Error(`no route: ${asked.method} ${asked.path}`);
    if (answer === null) return new Response(null, { status: 204 });
    return new Response(JSON.stringify(answer), { headers: { "Content-Type": "application/json" } });
  };
}

export const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

const TEMPLATE: Template = { id: "jupyter", title: "JupyterLab", description: "Notebooks.", icon: "jupyter" };

export const ENVIRONMENT: ComputeEnvironment = {
  id: "local",
  title: "This machine",
  kind: "local",
  description: "",
  region: null,
  templates: null,
  max_cpus: 4,
  max_memory_mib: 16384,
  price_per_hour: null,
  lifetime: {},
};

export function session(changes: Partial<Session> = {}): Session {
  return {
    id: "se-1",
    studio_id: "st-1",
    state: "running",
    message: "",
    started_at: ago(600),
    ready_at: ago(590),
    ended_at: null,
    phases: [],
    connected: true,
    people: [],
    ...changes,
  };
}

export function checkpoint(changes: Partial<Checkpoint> = {}): Checkpoint {
  return {
    id: "cp-1",
    studio_id: "st-1",
    session_id: "se-1",
    name: "2026-11-22 21:30",
    status: "finalised",
    created_at: ago(600),
    saved_at: ago(185),
    author: "alpha",
    size: 120_000_000,
    layers: [{ digest: "0".repeat(64), size: 120_000_000, files: 10, created_at: ago(600) }],
    installed: [],
    base: { image: "host", digest: "sha256:0" },
    root_mode: "overlay",
    parent: null,
    message: "",
    current: true,
    ...changes,
  };
}

export function studio(changes: Partial<Studio> = {}): Studio {
  return {
    id: "st-1",
    name: "Atlas",
    description: "",
    owner: "alpha",
    server_name: "atlas",
    template: "jupyter",
    compute_environment: "local",
    state: "stopped",
    message: "",
    url: "/@/space%20word/user/alpha/atlas/lab",
    created_at: ago(90_000),
    cpus: 2,
    memory_mib: 8192,
    gpus: 0,
    lifespan_hours: 8,
    image: null,
    environment: {},
    mounts: [],
    session: null,
    saved: null,
    forked_from: null,
    root_mode: "overlay",
    lifetime: null,
    cost: null,
    may: ["start", "edit", "delete"],
    ...changes,
  };
}
