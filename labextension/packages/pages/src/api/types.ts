/**
 * The REST API's documents, field for field those of `models.py`. Times are ISO 8601 strings in UTC,
 * sizes are bytes unless the name says otherwise, ids are opaque.
 */

import type { Provider } from "@jupyterhub-studios/explorer";

export const NAME_MAX = 80;
export const DESCRIPTION_MAX = 2048;

export const STUDIO_STATES = ["starting", "running", "stopping", "stopped", "errored"] as const;
export type StudioState = (typeof STUDIO_STATES)[number];
/** A session goes through the same states as its studio. */
export type SessionState = StudioState;

export const PHASES = ["queued", "host", "image", "restore", "data", "app", "ready"] as const;
export type PhaseName = (typeof PHASES)[number];

export type Kind = "aws-batch" | "docker" | "local";
export type RootMode = "overlay" | "home";
export type CheckpointStatus = "interim" | "finalised" | "invalid";
export type Ability = "open" | "start" | "stop" | "force" | "save" | "edit" | "delete" | "fork" | "share";

export interface Me {
  name: string;
  admin: boolean;
  groups: string[];
}

export interface Template {
  id: string;
  title: string;
  description: string;
  icon: string;
}

export interface ComputeEnvironment {
  id: string;
  title: string;
  kind: Kind;
  description: string;
  region: string | null;
  templates: string[] | null;
  max_cpus: number | null;
  max_memory_mib: number | null;
  price_per_hour: number | null;
  /** By template: the lifespans that may be chosen. */
  lifetime: Record<string, LifetimeOffer>;
}

export interface LifetimeOffer {
  lifespan_hours: number;
  min_hours: number;
  max_hours: number;
  endless: boolean;
  locked: boolean;
  idle_minutes: number;
}

/** Why a running studio is kept, and when it would end. */
export interface Lifetime {
  verdict: "keep" | "prompt" | "stop";
  reasons: string[];
  ends_at: string | null;
  idle_ends_at: string | null;
  asked_at: string | null;
  answer_by: string | null;
  kept_until: string | null;
  kept_by: string;
  keep_minutes: number;
  extend_hours: number;
}

export interface StudioSpec {
  name: string;
  template: string;
  compute_environment: string | null;
  description: string;
  cpus: number;
  memory_mib: number;
  lifespan_hours: number;
  environment: Record<string, string>;
  from_checkpoint: string | null;
  mounts: MountSpec[];
}

export interface MountSpec {
  link: string;
  /** A folder inside the link; "" is all of it. */
  path: string;
  /** Of the folder below data/; null: the service names it. */
  name: string | null;
  profile: "random" | "stream";
}

export interface MountStatus {
  name: string;
  state: "mounting" | "mounted" | "failed";
  message: string;
  listed_at: string | null;
  waiting_files: number;
  waiting_bytes: number;
  failing_files: number;
  cached_bytes: number;
}

export interface MountView {
  name: string;
  link: string;
  path: string;
  profile: "random" | "stream";
  folder: string;
  /** null: the link is gone, or nobody's business. */
  link_name: string | null;
  url: string | null;
  provider: Provider | null;
  region: string | null;
  writable: boolean;
  why: string;
  available: boolean;
  warning: string;
  /** US dollars for reading a gigabyte from there; null: nothing, or unknown. */
  gigabyte_price: number | null;
  status: MountStatus | null;
}

export interface MountsView {
  items: MountView[];
  listing_seconds: number;
}

export interface Phase {
  name: PhaseName;
  status: "pending" | "running" | "done" | "failed";
  started_at: string | null;
  ended_at: string | null;
  message: string;
}

export interface StudioEvent {
  at: string;
  kind: string;
  message: string;
  level: "info" | "warning" | "error";
}

export interface Session {
  id: string;
  studio_id: string;
  state: SessionState;
  message: string;
  started_at: string;
  ready_at: string | null;
  ended_at: string | null;
  phases: Phase[];
  connected: boolean;
  people: string[];
}

export interface Layer {
  digest: string;
  size: number;
  files: number;
  created_at: string;
}

export interface Package {
  manager: "dpkg" | "pip" | "r" | "conda";
  name: string;
  version: string;
  change: "added" | "changed" | "removed";
}

export interface Checkpoint {
  id: string;
  studio_id: string;
  session_id: string | null;
  name: string;
  status: CheckpointStatus;
  created_at: string;
  saved_at: string;
  author: string;
  size: number;
  layers: Layer[];
  installed: Package[];
  base: { image: string; digest: string };
  root_mode: RootMode;
  parent: string | null;
  message: string;
  current: boolean;
}

export interface Studio {
  id: string;
  name: string;
  description: string;
  owner: string;
  server_name: string;
  template: string;
  compute_environment: string;
  state: StudioState;
  message: string;
  url: string;
  created_at: string;
  cpus: number;
  memory_mib: number;
  gpus: number;
  lifespan_hours: number;
  image: string | null;
  environment: Record<string, string>;
  mounts: MountSpec[];
  session: Session | null;
  saved: Checkpoint | null;
  forked_from: string | null;
  root_mode: RootMode | null;
  lifetime: Lifetime | null;
  /** Of the latest session until now; null: no price is known. */
  cost: number | null;
  may: Ability[];
}

export type StudioChanges = Partial<
  Pick<Studio, "name" | "description" | "cpus" | "memory_mib" | "lifespan_hours" | "environment">
>;

export interface Progress {
  version: number;
  studio: Studio;
}

export interface Share {
  id: string;
  studio_id: string;
  kind: "user" | "group";
  name: string;
  may_start: boolean;
  /** The link by which they came; null: they were named. */
  link_id: string | null;
  created_by: string;
  created_at: string;
  here: boolean;
}

export interface ShareSpec {
  user?: string;
  group?: string;
  may_start: boolean;
}

export interface ShareLink {
  id: string;
  studio_id: string;
  /** Path on the Hub's origin. */
  url: string;
  may_start: boolean;
  created_by: string;
  created_at: string;
  expires_at: string;
  people: string[];
}

export interface ShareLinkSpec {
  expires_in_hours: number;
  may_start: boolean;
}

export interface JobLogs {
  text: string;
  /** Ask with it for what was printed since. */
  next: string | null;
}

export interface Logs {
  text: string;
  offset: number;
  next_offset: number;
  ended: boolean;
}

export type { Page, Problem } from "@jupyterhub-studios/explorer";
