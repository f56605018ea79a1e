/**
 * The REST API's documents, field for field those of `models.py`. Times are ISO 8601 strings in UTC,
 * sizes are bytes unless the name says otherwise, ids are opaque.
 */

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
export type Ability = "open" | "start" | "stop" | "force" | "save" | "edit" | "delete" | "fork";

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
  session: Session | null;
  saved: Checkpoint | null;
  forked_from: string | null;
  root_mode: RootMode | null;
  may: Ability[];
}

export type StudioChanges = Partial<
  Pick<Studio, "name" | "description" | "cpus" | "memory_mib" | "lifespan_hours" | "environment">
>;

export interface Progress {
  version: number;
  studio: Studio;
}

export interface Logs {
  text: string;
  offset: number;
  next_offset: number;
  ended: boolean;
}

export type { Page, Problem } from "@jupyterhub-studios/explorer";
