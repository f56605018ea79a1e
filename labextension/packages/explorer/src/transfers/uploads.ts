import type { DataClient } from "../client";
import { nameOf, numbered, parentOf } from "../paths";
import { ProblemError, isPassing, toProblem } from "../problems";
import type { Entry, Problem } from "../types";
import { sendFile } from "./send";

/** How to go on with a file whose name is taken. */
export type Answer = "replace" | "keep" | "skip";

export type UploadState =
  "queued" | "running" | "waiting" | "taken" | "done" | "skipped" | "failed" | "cancelled";

export interface UploadItem {
  id: number;
  link: string;
  /** Where it goes, relative to the link. */
  path: string;
  name: string;
  size: number;
  /** Bytes that the store has acknowledged. */
  sent: number;
  state: UploadState;
  problem?: Problem;
}

interface Job extends UploadItem {
  file: File;
  replace: boolean;
  tries: number;
  stop: AbortController;
  timer?: ReturnType<typeof setTimeout>;
}

export interface Picked {
  file: File;
  /** With its folders, as it was dropped: "run7/results/a.csv". */
  path: string;
}

const AT_ONCE = 3;
const TRIES = 4;
/** Milliseconds before the second, third and fourth try; a little different each time, so that tries do not meet. */
const PAUSES = [1000, 4000, 15_000];
const OPEN: ReadonlySet<UploadState> = new Set(["queued", "running", "waiting", "taken"]);

/**
 * The queue of uploads of one explorer: a few files at once, each tried again when the network or the store
 * fails in passing, and a question when a name is taken. It outlives the folder that is shown.
 */
export class Uploads {
  private jobs: Job[] = [];
  private next = 1;
  private held: UploadItem[] = [];
  private scheduled: ReturnType<typeof setTimeout> | undefined;
  private forAll: Answer | undefined;
  private readonly watchers = new Set<() => void>();
  private readonly arrivals = new Set<(link: string, path: string, entry: Entry) => void>();

  constructor(
    private readonly client: DataClient,
    private readonly pauses: readonly number[] = PAUSES,
  ) {}

  // --- for React's useSyncExternalStore ---

  subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };
  snapshot = (): UploadItem[] => this.held;
  /** Hears of every file that has arrived. */
  onArrived = (hear: (link: string, path: string, entry: Entry) => void): (() => void) => {
    this.arrivals.add(hear);
    return () => this.arrivals.delete(hear);
  };

  // --- what a person does ---

  add(link: string, folder: string, picked: Picked[]): void {
    if (this.settled()) this.forAll = undefined;
    for (const { file, path } of picked) {
      const whole = folder + path;
      this.jobs.push({
        id: this.next++,
        link,
        path: whole,
        name: nameOf(whole),
        file,
        size: file.size,
        sent: 0,
        state: "queued",
        replace: false,
        tries: 0,
        stop: new AbortController(),
      });
    }
    this.changed(true);
    this.run();
  }

  answer(id: number, answer: Answer, all: boolean): void {
    if (all) this.forAll = answer;
    for (const job of this.jobs) if (job.state === "taken" && (all || job.id === id)) this.goOn(job, answer);
    this.changed(true);
    this.run();
  }

  retry(id?: number): void {
    for (const job of this.jobs) {
      if (job.state !== "failed" || (id !== undefined && job.id !== id)) continue;
      Object.assign(job, { state: "queued", tries: 0, sent: 0, stop: new AbortController() });
      delete job.problem;
    }
    this.changed(true);
    this.run();
  }

  cancel(id?: number): void {
    for (const job of this.jobs) {
      if (!OPEN.has(job.state) || (id !== undefined && job.id !== id)) continue;
      clearTimeout(job.timer);
      job.state = "cancelled";
      job.stop.abort();
    }
    this.changed(true);
    this.run();
  }

  /** Forgets what has ended. */
  clear(): void {
    this.jobs = this.jobs.filter((job) => OPEN.has(job.state));
    this.changed(true);
  }

  settled(): boolean {
    return !this.jobs.some((job) => OPEN.has(job.state));
  }

  // --- how ---

  private run(): void {
    let running = this.jobs.filter((job) => job.state === "running").length;
    for (const job of this.jobs) {
      if (running >= AT_ONCE) return;
      if (job.state !== "queued") continue;
      running += 1;
      job.state = "running";
      void this.send(job);
    }
  }

  private async send(job: Job): Promise<void> {
    const { link, path, file, replace, stop } = job;
    const progress = (sent: number): void => {
      job.sent = sent;
      this.changed();
    };
    // Cancelling sets the state from outside, at any time.
    const cancelled = (): boolean => stop.signal.aborted;
    try {
      const entry = await sendFile(this.client, { link, path, file, replace, signal: stop.signal, progress });
      if (cancelled()) return;
      Object.assign(job, { state: "done", sent: job.size });
      for (const hear of this.arrivals) hear(link, path, entry);
    } catch (error) {
      if (!cancelled()) this.failed(job, error);
    } finally {
      this.changed(true);
      this.run();
    }
  }

  private failed(job: Job, error: unknown): void {
    const problem = toProblem(error);
    job.tries += 1;
    job.sent = 0;
    if (isTaken(problem) && !job.replace) {
      if (this.forAll === undefined) job.state = "taken";
      else this.goOn(job, this.forAll);
    } else if (error instanceof ProblemError && isPassing(problem) && job.tries < TRIES) {
      job.state = "waiting";
      job.problem = problem;
      const pause = this.pauses[job.tries - 1] ?? 0;
      job.timer = setTimeout(
        () => {
          job.state = "queued";
          delete job.problem;
          this.changed(true);
          this.run();
        },
        pause * (0.75 + Math.random() / 2),
      );
    } else {
      job.state = "failed";
      job.problem = problem;
    }
  }

  private goOn(job: Job, answer: Answer): void {
    job.tries = 0;
    if (answer === "skip") {
      job.state = "skipped";
      return;
    }
    if (answer === "replace") job.replace = true;
    else {
      // Another number each time: the next one may be taken too.
      const base = job.file.name;
      const taken = /\((\d+)\)/.exec(job.name);
      const n = job.name === base ? 2 : Number(taken?.[1] ?? 1) + 1;
      job.name = numbered(base, n);
      job.path = parentOf(job.path) + job.name;
    }
    job.state = "queued";
  }

  /** Tells the watchers; of progress at most ten times a second. */
  private changed(now = false): void {
    const tell = (): void => {
      clearTimeout(this.scheduled);
      this.scheduled = undefined;
      this.held = this.jobs.map(({ id, link, path, name, size, sent, state, problem }) => ({
        id,
        link,
        path,
        name,
        size,
        sent,
        state,
        ...(problem === undefined ? {} : { problem }),
      }));
      for (const watcher of this.watchers) watcher();
    };
    if (now) tell();
    else this.scheduled ??= setTimeout(tell, 100);
  }
}

/** The store or the service says that something is there already. */
const isTaken = ({ status }: Problem): boolean => status === 409 || status === 412;
