import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { Notification } from "@jupyterlab/apputils";
import { PageConfig } from "@jupyterlab/coreutils";
import { LifetimeClient, type Notice, type Told, type Wish } from "./client";
import { watchInput } from "./input";
import { Question, type Answer } from "./question";
import { dueWarning, spoken, until } from "./words";

const ASK_SECONDS = 30; // until the service has said how often
const INPUT_SECONDS = 60;
const GREETED = "jupyterhub-studios:greeted";

/** In a studio: tells that somebody is there, asks when the service wants to know, warns before the end. */
export const lifetimePlugin: JupyterFrontEndPlugin<void> = {
  id: "@jupyterhub-studios/lab:lifetime",
  description: "Tells a studio's visitors when it ends, and the studio that they are there.",
  autoStart: true,
  activate: (app: JupyterFrontEnd) => {
    if (PageConfig.getOption("studioId") === "") return;
    void app.restored.then(() => new Lifetime(new LifetimeClient()).start());
  },
};

export class Lifetime {
  private notice: Notice | null = null;
  private question: Question | undefined;
  private answered = ""; // the question that was answered here, until the service has heard
  private warned: number | null = null;
  private warning: string | undefined;
  private timer: number | undefined;

  constructor(private readonly client: LifetimeClient) {}

  start(): void {
    watchInput(
      () => {
        // As long as the question is open, its answer is what counts.
        if (this.question === undefined) void this.client.wish("input").catch(() => undefined);
      },
      () => this.notice?.input_seconds ?? INPUT_SECONDS,
    );
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void this.ask();
    });
    void this.ask();
  }

  /** What is there to tell now? Asked again and again; a gate that does not answer is asked later. */
  async ask(): Promise<void> {
    window.clearTimeout(this.timer);
    try {
      const told = await this.client.told();
      if (told.notice !== null) this.show(told, told.notice);
    } catch {
      // The session is stopping, or the network is away: JupyterLab itself tells of that.
    }
    window.clearTimeout(this.timer);
    const seconds = this.notice?.ask_seconds ?? ASK_SECONDS;
    this.timer = window.setTimeout(() => void this.ask(), seconds * 1000);
  }

  private show(told: Told, notice: Notice): void {
    const first = this.notice === null;
    this.notice = notice;
    if (first) this.greet(told.session_id, notice.greeting);
    this.warn(notice, told.own);
    const asked = notice.view.verdict === "prompt" ? (notice.view.answer_by ?? "now") : "";
    if (asked === "" || asked === this.answered) {
      this.question?.close();
      this.question = undefined;
    } else {
      this.question ??= new Question(notice, told.own, (answer) => this.answer(asked, answer));
    }
  }

  private answer(asked: string, answer: Answer): void {
    this.question = undefined;
    if (answer === null) return;
    this.answered = asked;
    const done = answer === "keep" ? "The studio is kept." : "The studio is saved and stopped.";
    void this.wish(answer, done);
  }

  private async wish(what: Wish, done: string): Promise<void> {
    try {
      await this.client.wish(what);
      Notification.success(done, { autoClose: 5000 });
    } catch {
      this.answered = "";
      Notification.error("The studio did not take the answer. Try it on its page in the Hub.");
    }
    window.setTimeout(() => void this.ask(), 1000);
  }

  /** Why the last session was ended by itself: once for each session, in each browser. */
  private greet(session: string, greeting: string): void {
    if (greeting === "" || localStorage.getItem(GREETED) === session) return;
    localStorage.setItem(GREETED, session);
    Notification.info(`Welcome back. Last time: ${greeting}`, { autoClose: false });
  }

  private warn({ view, warn_minutes }: Notice, own: boolean): void {
    const due = dueWarning(view.ends_at, warn_minutes);
    if (due !== this.warned && this.warning !== undefined) Notification.dismiss(this.warning);
    if (due !== null && due !== this.warned && view.ends_at !== null) {
      const actions =
        own && view.extend_hours > 0
          ? [
              {
                label: "Extend by an hour",
                callback: () => void this.wish("extend", "The studio runs an hour longer."),
              },
            ]
          : [];
      const left = spoken(Math.ceil(until(view.ends_at) / 60) * 60);
      this.warning = Notification.warning(`This studio is saved and stopped in ${left}.`, {
        autoClose: false,
        actions,
      });
    }
    this.warned = due;
  }
}
