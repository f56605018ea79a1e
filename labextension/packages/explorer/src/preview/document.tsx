import * as React from "react";
import { useExplorer } from "../context";
import { useLoad } from "../hooks/use-load";
import { nameOf } from "../paths";
import { rightsOf } from "../rights";
import { size } from "../text";
import type { DocumentPreview, LinkView } from "../types";
import { IconButton } from "../ui/button";
import { Busy, Note, ProblemNote } from "../ui/problem";

interface DocumentViewProps {
  link: LinkView;
  preview: DocumentPreview;
}

/** What the browser shows by itself. Nothing of it runs in our name: an image element, a sandboxed frame. */
export function DocumentView({ link, preview }: DocumentViewProps) {
  switch (preview.media) {
    case "image":
      return <ImageView link={link} preview={preview} />;
    case "html":
      return <HtmlView link={link} preview={preview} />;
    case "pdf":
      return <PdfView link={link} preview={preview} />;
  }
}

function ImageView({ link, preview }: DocumentViewProps) {
  const { client } = useExplorer();
  const [full, setFull] = React.useState(false);
  const [broken, setBroken] = React.useState(false);
  const [pixels, setPixels] = React.useState("");
  if (broken) return <Note kind="warning">The browser cannot show this image. Download it to see it.</Note>;
  return (
    <div className="dx-text">
      <div className="dx-text-bar">
        <span>
          {preview.content_type} {pixels}
        </span>
        <IconButton icon="search" label="Full size" aria-pressed={full} onClick={() => setFull(!full)} />
      </div>
      <div
        className={`dx-image ${full ? "dx-image-full" : ""}`}
        tabIndex={0}
        role="region"
        aria-label="Image"
      >
        <img
          src={client.rawUrl(link.id, preview.path)}
          alt={nameOf(preview.path)}
          onError={() => setBroken(true)}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
            setPixels(naturalWidth === 0 ? "" : `${naturalWidth} × ${naturalHeight}`)
          }
        />
      </div>
    </div>
  );
}

function HtmlView({ link, preview }: DocumentViewProps) {
  const { client } = useExplorer();
  return (
    <div className="dx-text">
      <div className="dx-text-bar">
        <span>Shown without scripts, and without what it loads from elsewhere</span>
      </div>
      {/* An empty sandbox: no scripts, no forms, an origin of its own; the answer says the same in its headers. */}
      <iframe
        className="dx-frame"
        sandbox=""
        referrerPolicy="no-referrer"
        src={client.rawUrl(link.id, preview.path)}
        title={nameOf(preview.path)}
      />
    </div>
  );
}

/** A bigger one is better downloaded: it would have to fit into memory. */
const PDF_MOST = 100 * 2 ** 20;

/**
 * Browsers refuse their PDF viewer inside a sandbox. The bytes are shown from an address of this page's own with
 * the type fixed to PDF, so that they can be nothing else, whatever the file says it is.
 */
function PdfView({ link, preview }: DocumentViewProps) {
  const { client } = useExplorer();
  const big = preview.size > PDF_MOST;
  const file = useLoad(`${link.id} ${preview.path} ${String(big)}`, async (signal) => {
    if (big) return undefined;
    const bytes = await client.raw(link.id, preview.path, signal);
    return URL.createObjectURL(new Blob([bytes], { type: "application/pdf" }));
  });
  const url = file.data;
  React.useEffect(
    () => () => {
      if (url !== undefined) URL.revokeObjectURL(url);
    },
    [url],
  );
  if (big || ("pdfViewerEnabled" in navigator && !navigator.pdfViewerEnabled))
    return (
      <Note>
        {big ? `A PDF of ${size(preview.size)} is not shown here.` : "This browser shows no PDF."}{" "}
        {rightsOf(link).download ?? "Download it to read it."}
      </Note>
    );
  if (file.problem !== undefined) return <ProblemNote problem={file.problem} onRetry={file.reload} />;
  if (url === undefined) return <Busy label="Fetching the PDF" />;
  return <iframe className="dx-frame" src={url} title={nameOf(preview.path)} />;
}
