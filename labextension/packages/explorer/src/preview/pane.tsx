import * as React from "react";
import type { Acts } from "../browser/use-commands";
import type { PreviewQuery } from "../client";
import { useExplorer } from "../context";
import { useLoad } from "../hooks/use-load";
import { addressOf, nameOf } from "../paths";
import { rightsOf } from "../rights";
import { dateTime, number, sentence, size } from "../text";
import type { Entry, LinkView, Preview, TextPreview, ViewName } from "../types";
import { Button, IconButton } from "../ui/button";
import { Elided } from "../ui/elided";
import { EntryIcon } from "../ui/icons";
import { Busy, ProblemNote } from "../ui/problem";
import { ArchiveView } from "./archive";
import { DocumentView } from "./document";
import { MarkdownView } from "./markdown";
import { NotebookView } from "./notebook";
import { TableView } from "./table";
import { TextView } from "./text";
import { TreeView } from "./tree";

interface PaneProps {
  link: LinkView;
  path: string;
  /** The row, when it is loaded; else it is asked for. */
  entry: Entry | undefined;
  acts: Acts;
  onClose?: () => void;
}

/** "rendered" is a Markdown text as a document: the same answer, shown in another way. */
type Shown = ViewName | "rendered";

const VIEW_WORDS: Record<Shown, string> = {
  text: "Text",
  table: "Table",
  notebook: "Notebook",
  document: "Document",
  archive: "Contents",
  tree: "Tree",
  binary: "Bytes",
  rendered: "Rendered",
};

/** A file without downloading it: a small part, read by ranges, in the way that fits what it is. */
export function PreviewPane({ link, path, entry, acts, onClose }: PaneProps) {
  const { client, host, compact, openMenu } = useExplorer();
  const [asked, setAsked] = React.useState<PreviewQuery>({});
  const [source, setSource] = React.useState(false);
  const [details, setDetails] = React.useState(false);
  const loaded = useLoad(JSON.stringify([path, asked]), (signal) =>
    client.preview(link.id, path, asked, signal),
  );
  const known = useLoad(entry === undefined ? path : "", async (signal) =>
    entry === undefined ? client.entry(link.id, path, signal) : undefined,
  );
  const file = entry ?? known.data;
  // The next window replaces the one before when it is there: no flicker.
  const [preview, setPreview] = React.useState<Preview>();
  if (loaded.data !== undefined && loaded.data !== preview) setPreview(loaded.data);
  const rights = rightsOf(link);
  const name = nameOf(path);
  const fallback: Entry = {
    name,
    path,
    kind: "file",
    size: preview?.size ?? null,
    modified: null,
    storage_class: null,
    etag: null,
  };
  const shown = preview === undefined ? undefined : shownAs(preview, source);
  const { openInNotebook } = host;
  return (
    <section className="dx-preview" aria-label={`Preview of ${name}`}>
      <header className="dx-preview-head">
        {onClose !== undefined && compact && (
          <IconButton icon="back" label="Back to the list" onClick={onClose} />
        )}
        <EntryIcon entry={file ?? fallback} />
        <h2>
          <Elided text={name} />
        </h2>
        <span className="dx-preview-size">{preview === undefined ? "" : size(preview.size)}</span>
        <div className="dx-preview-buttons">
          {openInNotebook !== undefined && (
            <IconButton
              icon="notebook"
              label="Open in notebook"
              onClick={() => void acts.notebook(file ?? fallback)}
            />
          )}
          <IconButton
            icon="download"
            label="Download"
            reason={rights.download}
            onClick={() => void acts.download([file ?? fallback])}
          />
          <IconButton
            icon="info"
            label="Details"
            aria-pressed={details}
            onClick={() => setDetails(!details)}
          />
          <IconButton
            icon="more"
            label="More for this file"
            aria-haspopup="menu"
            onClick={(event) => {
              const box = event.currentTarget.getBoundingClientRect();
              const commands = acts
                .menu([file ?? fallback], () => undefined)
                .filter(({ id }) => id !== "open");
              openMenu({ x: box.left, y: box.bottom + 3, label: `Actions for ${name}`, commands });
            }}
          />
          {onClose !== undefined && !compact && (
            <IconButton icon="cross" label="Close the preview" onClick={onClose} />
          )}
        </div>
      </header>
      {preview !== undefined && shown !== undefined && (
        <Views
          preview={preview}
          shown={shown}
          onShow={(next) => {
            setSource(next === "text");
            if (next === "rendered" || (next === "text" && preview.view === "text")) return;
            setAsked({ view: next });
          }}
        />
      )}
      {details && <Details link={link} file={file ?? fallback} preview={preview} />}
      {preview !== undefined && preview.note !== "" && (
        <p className="dx-preview-note">{sentence(preview.note)}</p>
      )}
      {loaded.problem !== undefined && <ProblemNote problem={loaded.problem} onRetry={loaded.reload} />}
      {preview === undefined && loaded.problem === undefined && <Busy label="Reading" />}
      {preview !== undefined && shown !== undefined && (
        <div className="dx-preview-body" aria-busy={loaded.loading}>
          <Body
            link={link}
            preview={preview}
            rendered={shown === "rendered"}
            loading={loaded.loading}
            onAsk={(query) =>
              setAsked({ ...(asked.view === undefined ? {} : { view: asked.view }), ...query })
            }
          />
        </div>
      )}
    </section>
  );
}

const isMarkdown = (preview: Preview): preview is TextPreview =>
  preview.view === "text" && preview.language === "markdown";

const shownAs = (preview: Preview, source: boolean): Shown =>
  isMarkdown(preview) && !source ? "rendered" : preview.view;

interface ViewsProps {
  preview: Preview;
  shown: Shown;
  onShow: (view: Shown) => void;
}

/** Other ways to look at the same file. */
function Views({ preview, shown, onShow }: ViewsProps) {
  const ways: Shown[] = [
    ...(isMarkdown(preview) ? (["rendered"] as const) : []),
    preview.view,
    ...preview.views,
  ];
  const views = [...new Set(ways)].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  if (views.length < 2) return null;
  return (
    <div className="dx-switch dx-views" role="group" aria-label="Show as">
      {views.map((view) => (
        <button key={view} type="button" aria-pressed={view === shown} onClick={() => onShow(view)}>
          {VIEW_WORDS[view]}
        </button>
      ))}
    </div>
  );
}

const ORDER: Shown[] = ["rendered", "table", "notebook", "document", "archive", "tree", "text", "binary"];

interface BodyProps {
  link: LinkView;
  preview: Preview;
  rendered: boolean;
  loading: boolean;
  onAsk: (query: PreviewQuery) => void;
}

function Body({ link, preview, rendered, loading, onAsk }: BodyProps) {
  switch (preview.view) {
    case "text":
      return rendered ? (
        <MarkdownView preview={preview} />
      ) : (
        <TextView preview={preview} loading={loading} onAsk={onAsk} />
      );
    case "table":
      return <TableView preview={preview} loading={loading} onAsk={onAsk} />;
    case "notebook":
      return <NotebookView preview={preview} />;
    case "document":
      return <DocumentView link={link} preview={preview} />;
    case "archive":
      return <ArchiveView preview={preview} />;
    case "tree":
      return <TreeView preview={preview} />;
    case "binary":
      return (
        <pre className="dx-hex" tabIndex={0} role="region" aria-label="First bytes">
          {preview.hexdump}
        </pre>
      );
  }
}

interface DetailsProps {
  link: LinkView;
  file: Entry;
  preview: Preview | undefined;
}

function Details({ link, file, preview }: DetailsProps) {
  const { host, notify } = useExplorer();
  const address = addressOf(link, file.path);
  const facts: [string, string | null][] = [
    ["Size", file.size === null ? null : `${number(file.size)} bytes`],
    ["Modified", file.modified === null ? null : dateTime(file.modified)],
    ["Storage class", file.storage_class],
    ["ETag", file.etag],
    ["Read for this preview", preview === undefined ? null : size(preview.bytes_read)],
  ];
  return (
    <div className="dx-details">
      <div className="dx-details-path">
        <code>{address}</code>
        <Button
          icon="copy"
          onClick={() => void host.copy(address).then(() => notify("Path copied"))}
          aria-label="Copy the path"
        />
      </div>
      <dl className="dx-facts">
        {facts.map(
          ([word, value]) =>
            value !== null &&
            value !== "" && (
              <React.Fragment key={word}>
                <dt>{word}</dt>
                <dd>{value}</dd>
              </React.Fragment>
            ),
        )}
      </dl>
    </div>
  );
}
