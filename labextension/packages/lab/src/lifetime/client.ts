import { PageConfig, URLExt } from "@jupyterlab/coreutils";

/** What the session's gate tells those inside of its end; field for field the service's `LifetimeNotice`. */
export interface Notice {
  view: {
    verdict: "keep" | "prompt" | "stop";
    reasons: string[];
    ends_at: string | null;
    answer_by: string | null;
    keep_minutes: number;
    extend_hours: number;
  };
  warn_minutes: number[];
  greeting: string;
  ask_seconds: number;
  input_seconds: number;
}

export interface Told {
  session_id: string;
  /** Whether the studio is the visitor's own: stopping and extending it is up to its owner. */
  own: boolean;
  /** null: the service has not said anything yet. */
  notice: Notice | null;
}

export type Wish = "input" | "keep" | "extend" | "stop";

/** The gate answers beside the app, below the same prefix and with the same cookie. */
export class LifetimeClient {
  private readonly base = URLExt.join(PageConfig.getBaseUrl(), "_studio");

  async told(): Promise<Told> {
    const answer = await fetch(`${this.base}/lifetime`, { cache: "no-store" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return (await answer.json()) as Told;
  }

  async wish(what: Wish): Promise<void> {
    const answer = await fetch(`${this.base}/${what}`, { method: "POST" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
  }
}
