import { Dialog } from "@jupyterlab/apputils";
import React, { useEffect, useState } from "react";
import type { Notice } from "./client";
import { spoken, until } from "./words";

export type Answer = "keep" | "stop" | null;

/** "Still there?": shown until somebody answers, here or elsewhere. */
export class Question {
  private readonly dialog: Dialog<unknown>;

  /** `own`: the studio is the visitor's own, who alone may stop it. */
  constructor(notice: Notice, own: boolean, answered: (answer: Answer) => void) {
    const keep = Dialog.okButton({ label: `Keep for ${spoken(notice.view.keep_minutes * 60)}` });
    const stop = Dialog.warnButton({ label: "Save and stop now" });
    this.dialog = new Dialog({
      title: "Still there?",
      body: <Why notice={notice} />,
      buttons: own ? [stop, keep] : [keep],
      defaultButton: own ? 1 : 0,
      hasClose: false,
    });
    void this.dialog.launch().then(({ button }) => {
      answered(button.label === keep.label ? "keep" : button.label === stop.label ? "stop" : null);
    });
  }

  /** Somebody is there after all, or has answered elsewhere. */
  close(): void {
    if (!this.dialog.isDisposed) this.dialog.dispose();
  }
}

function Why({ notice: { view } }: { notice: Notice }) {
  const [left, setLeft] = useState(() => (view.answer_by === null ? null : until(view.answer_by)));
  useEffect(() => {
    const { answer_by } = view;
    if (answer_by === null) return undefined;
    const timer = window.setInterval(() => setLeft(until(answer_by)), 1000);
    return () => window.clearInterval(timer);
  }, [view]);
  return (
    <div className="jp-StudioQuestion">
      <p>{view.reasons.join(" ")}</p>
      {left !== null && <p>Without an answer it is saved and stopped in {spoken(left)}.</p>}
    </div>
  );
}
