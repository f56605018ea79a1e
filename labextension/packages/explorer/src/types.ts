/**
 * The documents of the data API, field for field those of `models/data.py` and `models/previews.py`
 * (held by tests/pages/test_types.py). Times are ISO 8601 strings in UTC, sizes are bytes, ids are opaque.
 */

export const PROVIDERS = ["s3", "gcs", "azure", "folder", "other"] as const;
export type Provider = (typeof PROVIDERS)[number];

export const DATA_ROLES = ["view", "download", "write"] as const;
/** What somebody may do with a data link; each holds the ones before it. */
export type DataRole = (typeof DATA_ROLES)[number];

export type Status = "unknown" | "valid" | "invalid";

// --- credentials ---

export interface Ambient {
  type: "ambient";
}
export interface Profile {
  type: "profile";
  profile: string;
}
export interface Anonymous {
  type: "anonymous";
}
export interface AccessKey {
  type: "access-key";
  access_key_id: string;
  secret_access_key: string;
  session_token: string | null;
}
export interface AzureKey {
  type: "azure-key";
  account: string;
  key: string;
}
export interface AzureSas {
  type: "azure-sas";
  account: string;
  sas: string;
}
export interface AzureConnectionString {
  type: "azure-connection-string";
  connection_string: string;
}
export interface ServiceAccount {
  type: "service-account";
  key_json: string;
}

export type Secret =
  Ambient | Profile | Anonymous | AccessKey | AzureKey | AzureSas | AzureConnectionString | ServiceAccount;
export type SecretType = Secret["type"];

/** The kinds of access that a provider takes. */
export const FITS: Record<Provider, SecretType[]> = {
  s3: ["ambient", "profile", "anonymous", "access-key"],
  gcs: ["ambient", "anonymous", "service-account"],
  azure: ["ambient", "anonymous", "azure-key", "azure-sas", "azure-connection-string"],
  folder: ["ambient"],
  other: ["ambient"],
};

export interface CredentialSpec {
  name: string;
  provider: Provider;
  secret: Secret;
  endpoint: string | null;
  region: string | null;
  account: string | null;
}

export interface CredentialView {
  id: string;
  name: string;
  provider: Provider;
  type: SecretType;
  endpoint: string | null;
  region: string | null;
  source: "added" | "offered";
  status: Status;
  message: string;
  links_found: number | null;
  may_edit: boolean;
}

// --- links ---

export interface LinkSpec {
  name: string;
  url: string;
  credential: string | null;
  description: string;
  writable: boolean;
  workspace: string | null;
  workspace_role: DataRole;
}

export interface LinkPatch {
  name?: string;
  description?: string;
  writable?: boolean;
  workspace?: string;
  workspace_role?: DataRole;
}

export interface LinkMarks {
  starred?: boolean;
  hidden?: boolean;
}

export interface LinkView {
  id: string;
  name: string;
  description: string;
  provider: Provider;
  url: string;
  bucket: string;
  prefix: string;
  region: string | null;
  endpoint: string | null;
  source: "found" | "added" | "offered";
  owner: string | null;
  workspace: string | null;
  workspace_role: DataRole | null;
  credential: string | null;
  role: DataRole;
  writable: boolean;
  why: string;
  starred: boolean;
  hidden: boolean;
  status: Status;
  message: string;
  may_edit: boolean;
}

// --- places ---

export interface Entry {
  name: string;
  path: string;
  kind: "folder" | "file";
  size: number | null;
  modified: string | null;
  storage_class: string | null;
  etag: string | null;
}

export interface EntryPage {
  items: Entry[];
  next: string | null;
  truncated: boolean;
}

export interface Total {
  files: number;
  bytes: number;
  complete: boolean;
}

export interface Found {
  entry: Entry | null;
  scanned: number;
  complete: boolean;
}

export interface Done {
  done: number;
  total: number | null;
  complete: boolean;
  failed: string[];
  message: string;
}

export interface Presigned {
  url: string;
  expires_at: string;
}

export interface Snippet {
  tool: "aws" | "gcloud" | "azcopy" | "rclone" | "python" | "pandas";
  title: string;
  language: "bash" | "python";
  code: string;
  note: string;
}

export interface Upload {
  id: string;
  part_size: number;
  parallel: boolean;
}

export interface UploadedPart {
  number: number;
  tag: string;
}

// --- previews ---

export type ViewName = "text" | "table" | "notebook" | "document" | "archive" | "tree" | "binary";
export type Cell = string | number | boolean | null;

export interface PreviewBase {
  path: string;
  size: number;
  bytes_read: number;
  views: ViewName[];
  note: string;
}

export interface TextPreview extends PreviewBase {
  view: "text";
  text: string;
  language: string;
  start: number;
  end: number;
  length: number | null;
  packed: "gzip" | null;
  encoding: string;
}

export interface Column {
  name: string;
  type: string;
}

export interface TablePreview extends PreviewBase {
  view: "table";
  format: string;
  header: string;
  columns: Column[];
  rows: Cell[][];
  total_rows: number | null;
  groups: number | null;
  group: number | null;
  facts: [string, string][];
}

export interface NotebookOutput {
  kind: "text" | "image" | "error" | "hidden";
  text: string;
}

export interface NotebookCell {
  kind: "code" | "markdown" | "raw";
  source: string;
  outputs: NotebookOutput[];
}

export interface NotebookPreview extends PreviewBase {
  view: "notebook";
  language: string;
  cells: NotebookCell[];
}

export interface DocumentPreview extends PreviewBase {
  view: "document";
  media: "image" | "pdf" | "html";
  content_type: string;
}

export interface Member {
  path: string;
  size: number | null;
  folder: boolean;
}

export interface ArchivePreview extends PreviewBase {
  view: "archive";
  format: string;
  members: Member[];
  truncated: boolean;
}

export interface Node {
  path: string;
  kind: "group" | "dataset";
  shape: number[] | null;
  type: string;
  detail: string;
}

export interface TreePreview extends PreviewBase {
  view: "tree";
  format: string;
  facts: [string, string][];
  nodes: Node[];
  truncated: boolean;
}

export interface BinaryPreview extends PreviewBase {
  view: "binary";
  hexdump: string;
}

export type Preview =
  | TextPreview
  | TablePreview
  | NotebookPreview
  | DocumentPreview
  | ArchivePreview
  | TreePreview
  | BinaryPreview;

// --- all of them ---

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** RFC 9457: `title` is what happened, `detail` why, `action` what to do. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  action: string;
  field: string | null;
}
