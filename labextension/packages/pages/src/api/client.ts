import type { Transport } from "@jupyterhub-studios/explorer";
import type { Config } from "../config";
import { ProblemError, Unreachable, problemOf } from "./problems";
import type {
  Checkpoint,
  ComputeEnvironment,
  JobLogs,
  Logs,
  Me,
  MountSpec,
  MountsView,
  Page,
  Progress,
  Session,
  Share,
  ShareLink,
  ShareLinkSpec,
  ShareSpec,
  Studio,
  StudioChanges,
  StudioEvent,
  StudioSpec,
  Template,
} from "./types";

/** The service's XSRF token. Browsers list the cookie of the longest path, ours, first. */
function xsrfToken(): string {
  const cookie = document.cookie.split("; ").find((part) => part.startsWith("_xsrf="));
  return cookie === undefined ? "" : cookie.slice("_xsrf=".length);
}

const id = encodeURIComponent;

export interface StudioQuery {
  owner?: string | undefined;
  state?: string | undefined;
  q?: string | undefined;
  /** "true": others' studios that are shared with the person. */
  shared?: string | undefined;
  /** `next` of the page before. */
  after?: string | undefined;
}

export type Client = ReturnType<typeof createClient>;

/**
 * How the pages reach the API. `onReach` hears after each answer whether the service could be reached, and how
 * far this machine's clock lies behind the server's (milliseconds).
 */
export function createTransport(
  config: Pick<Config, "api">,
  onReach: (reached: boolean, clockOffset?: number) => void = () => undefined,
): Transport {
  async function request(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("X-XSRFToken", xsrfToken());
    const asked = Date.now();
    let response: Response;
    try {
      response = await fetch(`${config.api}${path}`, {
        ...init,
        headers,
        // The Hub answers an ended sign-in with a redirect to its login page, which is not for fetch.
        redirect: "manual",
        credentials: "same-origin",
        cache: "no-store",
      });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      onReach(false);
      throw new Unreachable();
    }
    const type = response.headers.get("Content-Type") ?? "";
    if ([502, 503, 504].includes(response.status) && !type.includes("problem+json")) {
      // Not the service's own answer: the proxy in front of it has nobody behind.
      onReach(false);
      throw new Unreachable();
    }
    const date = Date.parse(response.headers.get("Date") ?? "");
    onReach(true, Number.isNaN(date) ? undefined : clockOffset(date, asked, Date.now()));
    return response;
  }
  return { base: config.api, request };
}

/**
 * How far the server's clock is ahead. Its time was told at some moment between asking and the answer, and an answer
 * may have waited for news: a time in between says nothing.
 */
export function clockOffset(told: number, asked: number, answered: number): number {
  if (told < asked) return told - asked;
  return told > answered ? told - answered : 0;
}

/** A typed client of the REST API. */
export function createClient(transport: Transport) {
  async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const response = await transport.request(path, {
      method,
      headers: {
        Accept: "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (!response.ok) throw new ProblemError(await problemOf(response));
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  const get = <T>(path: string, signal?: AbortSignal) => request<T>("GET", path, undefined, signal);

  /** All pages of a list that is not shown page by page. */
  async function all<T>(path: string, signal?: AbortSignal): Promise<T[]> {
    const items: T[] = [];
    for (let after: string | null = ""; after !== null;) {
      const page: Page<T> = await get(
        `${path}?limit=1000${after === "" ? "" : `&after=${id(after)}`}`,
        signal,
      );
      items.push(...page.items);
      after = page.next;
    }
    return items;
  }

  return {
    me: () => get<Me>("/me"),
    templates: () => get<Page<Template>>("/templates"),
    computeEnvironments: () => get<Page<ComputeEnvironment>>("/compute-environments"),

    studios: (query: StudioQuery = {}, signal?: AbortSignal) => {
      const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
      const search = new URLSearchParams(given).toString();
      return get<Page<Studio>>(search === "" ? "/studios" : `/studios?${search}`, signal);
    },
    studio: (studio: string) => get<Studio>(`/studios/${id(studio)}`),
    progress: (studio: string, after: number, wait: number, signal?: AbortSignal) =>
      get<Progress>(`/studios/${id(studio)}/progress?after=${after}&wait=${wait}`, signal),
    create: (spec: StudioSpec, start: boolean) =>
      request<Studio>("POST", start ? "/studios?start=true" : "/studios", spec),
    change: (studio: string, changes: StudioChanges) =>
      request<Studio>("PATCH", `/studios/${id(studio)}`, changes),
    remove: (studio: string) => request<undefined>("DELETE", `/studios/${id(studio)}`),
    start: (studio: string) => request<Studio>("POST", `/studios/${id(studio)}/start`, {}),
    /** `notice`: seconds that people inside are given after they were told. */
    stop: (studio: string, force = false, notice = 0) =>
      request<Studio>("POST", `/studios/${id(studio)}/stop`, {
        ...(force ? { force } : {}),
        ...(notice > 0 ? { notice_seconds: notice } : {}),
      }),

    keep: (studio: string) => request<Studio>("POST", `/studios/${id(studio)}/keep`, {}),
    extend: (studio: string, hours: number) =>
      request<Studio>("POST", `/studios/${id(studio)}/extend`, { hours }),

    mounts: (studio: string) => get<MountsView>(`/studios/${id(studio)}/mounts`),
    changeMounts: (studio: string, mounts: readonly MountSpec[]) =>
      request<MountsView>("PUT", `/studios/${id(studio)}/mounts`, { mounts }),
    refreshMount: (studio: string, mount: string) =>
      request<MountsView>("POST", `/studios/${id(studio)}/mounts/${id(mount)}/refresh`, {}),
    /** What mounts would be on a compute environment. */
    checkMounts: (environment: string, mounts: readonly MountSpec[]) =>
      request<MountsView>("POST", "/mount-checks", { compute_environment: environment, mounts }),

    checkpoints: (studio: string, signal?: AbortSignal) =>
      all<Checkpoint>(`/studios/${id(studio)}/checkpoints`, signal),
    save: (studio: string, name: string) =>
      request<Checkpoint>("POST", `/studios/${id(studio)}/checkpoints`, { name }),
    checkpoint: (checkpoint: string) => get<Checkpoint>(`/checkpoints/${id(checkpoint)}`),
    renameCheckpoint: (checkpoint: string, name: string) =>
      request<Checkpoint>("PATCH", `/checkpoints/${id(checkpoint)}`, { name }),
    removeCheckpoint: (checkpoint: string) => request<undefined>("DELETE", `/checkpoints/${id(checkpoint)}`),

    shares: (studio: string, signal?: AbortSignal) => all<Share>(`/studios/${id(studio)}/shares`, signal),
    share: (studio: string, spec: ShareSpec) => request<Share>("POST", `/studios/${id(studio)}/shares`, spec),
    endShare: (studio: string, share: string) =>
      request<undefined>("DELETE", `/studios/${id(studio)}/shares/${id(share)}`),
    shareLinks: (studio: string, signal?: AbortSignal) =>
      all<ShareLink>(`/studios/${id(studio)}/share-links`, signal),
    makeShareLink: (studio: string, spec: ShareLinkSpec) =>
      request<ShareLink>("POST", `/studios/${id(studio)}/share-links`, spec),
    endShareLink: (studio: string, link: string) =>
      request<undefined>("DELETE", `/studios/${id(studio)}/share-links/${id(link)}`),

    sessions: (studio: string, signal?: AbortSignal) =>
      all<Session>(`/studios/${id(studio)}/sessions`, signal),
    events: (session: string, signal?: AbortSignal) =>
      all<StudioEvent>(`/sessions/${id(session)}/events`, signal),
    logs: (session: string, offset: number, signal?: AbortSignal) =>
      get<Logs>(`/sessions/${id(session)}/logs?offset=${offset}`, signal),
    jobLogs: (session: string, after: string | null, signal?: AbortSignal) =>
      get<JobLogs>(`/sessions/${id(session)}/job-logs${after === null ? "" : `?after=${id(after)}`}`, signal),
  };
}
