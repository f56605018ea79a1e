import { ndjson } from "./ndjson";
import { ProblemError, isAbort, problemOf } from "./problems";
import type {
  CredentialSpec,
  CredentialView,
  Done,
  Entry,
  EntryPage,
  Found,
  LinkMarks,
  LinkPatch,
  LinkSpec,
  LinkView,
  Page,
  Presigned,
  Preview,
  Snippet,
  Total,
  Upload,
  UploadedPart,
  ViewName,
} from "./types";

/** How the host reaches the API: the pages with fetch and the XSRF header, JupyterLab with ServerConnection. */
export interface Transport {
  /** Address of the API without a slash at the end, for what the browser fetches itself: images, downloads. */
  base: string;
  /** `path` starts with a slash and is added to `base`. Any status is answered; no answer at all throws. */
  request: (path: string, init: RequestInit) => Promise<Response>;
}

export interface LinkQuery {
  q?: string;
  provider?: string;
  region?: string;
  hidden?: "no" | "only" | "all";
}

export interface PreviewQuery {
  view?: ViewName;
  /** A byte offset, "start" or "end". */
  at?: number | "start" | "end";
  group?: number;
}

type Value = string | number | boolean | undefined | null;

function query(values: Record<string, Value | string[]>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (Array.isArray(value)) for (const one of value) search.append(name, one);
    else if (value !== undefined && value !== null && value !== "") search.append(name, String(value));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

export class DataClient {
  constructor(private readonly transport: Transport) {}

  // --- links and credentials ---

  /** All pages of the list. */
  async links(asked: LinkQuery = {}, signal?: AbortSignal): Promise<LinkView[]> {
    const items: LinkView[] = [];
    let after: string | null = null;
    do {
      const page: Page<LinkView> = await this.get(`/data-links${query({ ...asked, after })}`, signal);
      items.push(...page.items);
      after = page.next;
    } while (after !== null);
    return items;
  }
  link = (id: string, signal?: AbortSignal) => this.get<LinkView>(at(id), signal);
  addLink = (spec: LinkSpec) => this.send<LinkView>("POST", "/data-links", spec);
  changeLink = (id: string, patch: LinkPatch) => this.send<LinkView>("PATCH", at(id), patch);
  markLink = (id: string, marks: LinkMarks) => this.send<LinkView>("PATCH", `${at(id)}/marks`, marks);
  removeLink = (id: string) => this.send<undefined>("DELETE", at(id));
  /** Asks the credentials anew which buckets they reach. */
  refreshLinks = () => this.send<undefined>("POST", "/data-links/refresh", {});

  credentials = async (signal?: AbortSignal) =>
    (await this.get<Page<CredentialView>>("/data-credentials", signal)).items;
  addCredential = (spec: CredentialSpec) => this.send<CredentialView>("POST", "/data-credentials", spec);
  removeCredential = (id: string) =>
    this.send<undefined>("DELETE", `/data-credentials/${encodeURIComponent(id)}`);

  // --- looking ---

  browse = (
    id: string,
    path: string,
    { search, after, limit }: { search?: string; after?: string | null; limit?: number },
    signal?: AbortSignal,
  ) => this.get<EntryPage>(`${at(id)}/browse${query({ path, search, after, limit })}`, signal);
  entry = (id: string, path: string, signal?: AbortSignal) =>
    this.get<Entry>(`${at(id)}/entry${query({ path })}`, signal);
  search = (id: string, path: string, q: string, signal: AbortSignal) =>
    this.lines<Found>("GET", `${at(id)}/search${query({ path, q })}`, undefined, signal);
  total = (id: string, path: string, signal: AbortSignal) =>
    this.lines<Total>("GET", `${at(id)}/total${query({ path })}`, undefined, signal);
  preview = (id: string, path: string, asked: PreviewQuery = {}, signal?: AbortSignal) =>
    this.get<Preview>(`${at(id)}/preview${query({ path, ...asked })}`, signal);
  snippets = async (id: string, path: string, signal?: AbortSignal) =>
    (await this.get<Page<Snippet>>(`${at(id)}/snippets${query({ path })}`, signal)).items;

  /** Address of a document that the browser shows in a sandboxed frame or an image. */
  rawUrl = (id: string, path: string) => `${this.transport.base}${at(id)}/raw${query({ path })}`;
  raw = async (id: string, path: string, signal?: AbortSignal): Promise<Blob> =>
    (await this.checked("GET", `${at(id)}/raw${query({ path })}`, {}, signal)).blob();

  // --- fetching ---

  /** Address of a download that will begin. */
  downloadUrl = (id: string, path: string) => this.asked(`${at(id)}/download${query({ path })}`);
  /** The same for a zip of files and folders; its size is known before it begins. */
  archiveUrl = (id: string, paths: string[]) => this.asked(`${at(id)}/archive${query({ path: paths })}`);

  presign = (id: string, path: string, seconds: number) =>
    this.send<Presigned>("POST", `${at(id)}/presign`, { path, seconds });

  // --- changing ---

  put = (id: string, path: string, replace: boolean, body: Blob, signal?: AbortSignal) =>
    this.answer<Entry>("PUT", `${at(id)}/upload${query({ path, replace })}`, bytes(body), signal);
  beginUpload = (id: string, path: string, size: number, replace: boolean, signal?: AbortSignal) =>
    this.send<Upload>("POST", `${at(id)}/uploads`, { path, size, replace }, signal);
  putPart = (id: string, upload: string, number: number, body: Blob, signal?: AbortSignal) =>
    this.answer<UploadedPart>(
      "PUT",
      `${at(id)}/uploads/part${query({ id: upload, number })}`,
      bytes(body),
      signal,
    );
  finishUpload = (id: string, upload: string, parts: UploadedPart[], signal?: AbortSignal) =>
    this.send<Entry>("POST", `${at(id)}/uploads/finish${query({ id: upload })}`, { parts }, signal);
  abortUpload = (id: string, upload: string) =>
    this.send<undefined>("DELETE", `${at(id)}/uploads${query({ id: upload })}`);
  makeFolder = (id: string, path: string) => this.send<Entry>("POST", `${at(id)}/folders`, { path });
  move = (id: string, source: string, target: string, replace: boolean, signal: AbortSignal) =>
    this.lines<Done>("POST", `${at(id)}/move`, { source, target, replace }, signal);
  delete = (id: string, paths: string[], signal: AbortSignal) =>
    this.lines<Done>("POST", `${at(id)}/delete`, { paths }, signal);

  // --- how ---

  /**
   * The server is asked before the browser is sent there: its own download list tells a refusal badly, and
   * everything else (size, speed, pause, cancel) well.
   */
  private async asked(address: string): Promise<string> {
    const head = await this.answered("HEAD", address, {});
    if (!head.ok) {
      // A HEAD has no body: the same question again brings the reason.
      const stop = new AbortController();
      try {
        await this.checked("GET", address, {}, stop.signal);
      } finally {
        stop.abort();
      }
    }
    return this.transport.base + address;
  }

  private async checked(
    method: string,
    path: string,
    init: RequestInit,
    signal?: AbortSignal,
  ): Promise<Response> {
    const response = await this.answered(method, path, init, signal);
    if (!response.ok) throw new ProblemError(await problemOf(response));
    return response;
  }

  private async answered(
    method: string,
    path: string,
    init: RequestInit,
    signal?: AbortSignal,
  ): Promise<Response> {
    try {
      return await this.transport.request(path, {
        ...init,
        method,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (error instanceof ProblemError || isAbort(error)) throw error;
      throw new ProblemError(UNREACHABLE);
    }
  }

  private async answer<T>(method: string, path: string, init: RequestInit, signal?: AbortSignal): Promise<T> {
    const response = await this.checked(method, path, init, signal);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  private get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.answer<T>("GET", path, { headers: { Accept: "application/json" } }, signal);
  }

  private send<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    return this.answer<T>(method, path, jsonBody(body), signal);
  }

  private async *lines<T>(
    method: string,
    path: string,
    body: unknown,
    signal: AbortSignal,
  ): AsyncGenerator<T, void, undefined> {
    const response = await this.checked(method, path, jsonBody(body), signal);
    yield* ndjson<T>(response, signal);
  }
}

const at = (id: string): string => `/data-links/${encodeURIComponent(id)}`;

const jsonBody = (body: unknown): RequestInit =>
  body === undefined
    ? {}
    : { body: JSON.stringify(body), headers: { "Content-Type": "application/json", Accept: "*/*" } };

const bytes = (body: Blob): RequestInit => ({
  body,
  headers: { "Content-Type": "application/octet-stream" },
});

const UNREACHABLE = {
  type: "about:blank",
  title: "The server cannot be reached",
  status: 0,
  detail: "the network is down, or the server is restarting",
  action: "Try again in a moment",
  field: null,
};
