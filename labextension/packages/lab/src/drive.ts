import { ProblemError, type DataClient, type Entry, type LinkView } from "@jupyterhub-studios/explorer";
import { PathExt } from "@jupyterlab/coreutils";
import type { Contents, ServerConnection } from "@jupyterlab/services";
import { Signal } from "@lumino/signaling";
import { DRIVE, fileAt, type File } from "./drive-path";

export const LARGEST_SAVE = 32 * 1024 * 1024; // what the API takes in one request

/**
 * A text of a bucket in JupyterLab's own editor: an additional drive beside the server's, which is left alone.
 *
 * A save needs a writable link, and the file as it was when it was last looked at: its etag is JupyterLab's "hash",
 * so JupyterLab asks what to do when somebody else has changed it, and a change in between is refused here.
 */
export class DataDrive implements Contents.IDrive {
  readonly name = DRIVE;
  readonly fileChanged = new Signal<this, Contents.IChangedArgs>(this);
  isDisposed = false;
  private readonly seen = new Map<string, string | null>();

  constructor(
    private readonly client: DataClient,
    readonly serverSettings: ServerConnection.ISettings,
    private readonly largest: () => number,
  ) {}

  dispose(): void {
    this.isDisposed = true;
    Signal.clearData(this);
  }

  async get(localPath: string, options: Contents.IFetchOptions = {}): Promise<Contents.IModel> {
    const file = fileAt(localPath);
    if (file === null || options.type === "directory") throw onlyFiles();
    return told(async () => {
      const [link, entry] = await Promise.all([
        this.client.link(file.link),
        this.client.entry(file.link, file.path),
      ]);
      const content = options.content === false ? null : await this.text(file, entry);
      this.seen.set(localPath, version(entry));
      return model(localPath, link, entry, content);
    });
  }

  async save(localPath: string, options: Partial<Contents.IModel> = {}): Promise<Contents.IModel> {
    const file = fileAt(localPath);
    if (file === null || options.type === "directory") throw onlyFiles();
    if (options.format !== "text") throw new Error("Only texts can be saved in a data link.");
    const body = new Blob([String(options.content)], { type: "application/octet-stream" });
    if (body.size > LARGEST_SAVE)
      throw new Error(`The text is too large to save here: ${megabytes(body.size)}, of at most 32 MB.`);
    return told(async () => {
      const link = await this.client.link(file.link);
      const known = this.seen.has(localPath);
      if (known) await this.refuseWhatChanged(localPath, file);
      const entry = await this.client.put(file.link, file.path, known, body);
      this.seen.set(localPath, version(entry));
      const saved = model(localPath, link, entry, null);
      this.fileChanged.emit({ type: "save", oldValue: null, newValue: saved });
      return saved;
    });
  }

  async getDownloadUrl(localPath: string): Promise<string> {
    const file = fileAt(localPath);
    if (file === null) throw onlyFiles();
    return told(() => this.client.downloadUrl(file.link, file.path));
  }

  // JupyterLab asks for checkpoints of whatever it opens. A bucket has none: it is the store's versions that serve.

  listCheckpoints(): Promise<Contents.ICheckpointModel[]> {
    return Promise.resolve([]);
  }

  createCheckpoint(): Promise<Contents.ICheckpointModel> {
    return Promise.resolve({ id: "none", last_modified: new Date().toISOString() });
  }

  restoreCheckpoint(): Promise<void> {
    return Promise.reject(new Error("Files of a data link have no checkpoints."));
  }

  deleteCheckpoint(): Promise<void> {
    return Promise.resolve();
  }

  newUntitled(): Promise<Contents.IModel> {
    return Promise.reject(elsewhere("make"));
  }

  rename(): Promise<Contents.IModel> {
    return Promise.reject(elsewhere("rename"));
  }

  copy(): Promise<Contents.IModel> {
    return Promise.reject(elsewhere("copy"));
  }

  delete(): Promise<void> {
    return Promise.reject(elsewhere("delete"));
  }

  private async text(file: File, entry: Entry): Promise<string> {
    const largest = this.largest();
    if ((entry.size ?? 0) > largest)
      throw new Error(
        `“${entry.name}” is too large for the editor: ${megabytes(entry.size ?? 0)}, and the setting ` +
          `“Largest text to edit” says ${megabytes(largest)}. The preview shows files of any size.`,
      );
    const bytes = await (await this.client.raw(file.link, file.path)).arrayBuffer();
    try {
      // A byte order mark stays, so that a file is saved as it was.
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      if (!text.includes("\0")) return text;
    } catch {
      // told below
    }
    throw new Error(`“${entry.name}” is not a text in UTF-8, so it cannot be edited. The preview shows it.`);
  }

  private async refuseWhatChanged(localPath: string, file: File): Promise<void> {
    let now: Entry;
    try {
      now = await this.client.entry(file.link, file.path);
    } catch (error) {
      // Deleted meanwhile: saving makes it anew, and nothing of a colleague's is lost.
      if (error instanceof ProblemError && error.problem.status === 404) return;
      throw error;
    }
    if (version(now) !== this.seen.get(localPath))
      throw new Error(
        "Somebody else has just changed this file, so it was not saved. Save again to see what you can do.",
      );
  }
}

/** What changes with the content. Stores without etags have at least a time. */
const version = (entry: Entry): string | null => entry.etag ?? entry.modified;

function model(localPath: string, link: LinkView, entry: Entry, content: string | null): Contents.IModel {
  const hash = version(entry);
  return {
    name: PathExt.basename(localPath),
    path: localPath,
    type: "file",
    format: content === null ? null : "text",
    mimetype: "text/plain",
    content,
    writable: link.writable && link.role === "write",
    created: entry.modified ?? "",
    last_modified: entry.modified ?? "",
    ...(entry.size === null ? {} : { size: entry.size }),
    ...(hash === null ? {} : { hash, hash_algorithm: "etag" }),
  };
}

/** JupyterLab shows an error's message: the whole problem in one line. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const { title, detail, action } = error.problem;
    throw new Error([title, detail, action].filter((part) => part !== "").join(". "), { cause: error });
  }
}

const onlyFiles = (): Error => new Error("Folders of a data link are shown in the Data panel.");

const elsewhere = (what: string): Error =>
  new Error(`To ${what} files of a data link, use the Data panel on the left.`);

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
