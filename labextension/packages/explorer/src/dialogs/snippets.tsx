import * as React from "react";
import { useExplorer } from "../context";
import { useLoad } from "../hooks/use-load";
import { visible } from "../text";
import type { LinkView, Problem, Snippet } from "../types";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Busy, Note, ProblemNote } from "../ui/problem";

interface SnippetsProps {
  link: LinkView;
  path: string;
  name: string;
  /** Why code is offered instead of what was asked for. */
  because?: Problem | undefined;
  onClose: () => void;
}

/** The exact code to fetch a place with a tool of the person's own. */
export function SnippetsDialog({ link, path, name, because, onClose }: SnippetsProps) {
  const { client } = useExplorer();
  const list = useLoad(`${link.id} ${path}`, (signal) => client.snippets(link.id, path, signal));
  return (
    <Dialog title={`Fetch “${visible(name)}” with code`} wide onClose={onClose}>
      {because !== undefined && (
        <Note kind="warning">
          <strong>{because.title}</strong>
          <p>
            {because.detail} {because.action}
          </p>
        </Note>
      )}
      {list.problem !== undefined && <ProblemNote problem={list.problem} onRetry={list.reload} />}
      {list.data === undefined && list.problem === undefined && <Busy label="Writing the code" />}
      {list.data?.map((snippet) => (
        <SnippetBox key={`${snippet.tool} ${snippet.title}`} snippet={snippet} />
      ))}
    </Dialog>
  );
}

function SnippetBox({ snippet }: { snippet: Snippet }) {
  const { host } = useExplorer();
  const [copied, setCopied] = React.useState(false);
  const insert = snippet.language === "python" ? host.openInNotebook : undefined;
  return (
    <section className="dx-snippet" aria-label={snippet.title}>
      <header>
        <h3>{snippet.title}</h3>
        {insert !== undefined && (
          <Button onClick={() => void insert(snippet.code)}>Insert into a notebook</Button>
        )}
        <Button
          icon={copied ? "check" : "copy"}
          aria-label={`Copy: ${snippet.title}`}
          onClick={() => void host.copy(snippet.code).then(() => setCopied(true))}
        >
          {copied ? "Copied" : "Copy"}
        </Button>
      </header>
      <pre tabIndex={0} role="region" aria-label={`Code: ${snippet.title}`}>
        {snippet.code}
      </pre>
      {snippet.note !== "" && <p className="dx-help">{snippet.note}</p>}
    </section>
  );
}
