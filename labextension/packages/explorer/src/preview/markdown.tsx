import DOMPurify from "dompurify";
import { marked } from "marked";
import * as React from "react";
import type { TextPreview } from "../types";

/**
 * Markdown from a bucket as HTML that can do nothing: no scripts, styles, forms or frames, and no request to
 * anybody, because a picture from elsewhere would tell its server who is looking.
 */
export function safeHtml(source: string): string {
  const html = marked.parse(source, { async: false, gfm: true });
  const purifier = DOMPurify(window);
  purifier.addHook("afterSanitizeAttributes", (element) => {
    if (element.tagName === "IMG" && !(element.getAttribute("src") ?? "").startsWith("data:image/")) {
      const note = element.ownerDocument.createElement("span");
      note.textContent = `[picture: ${element.getAttribute("alt") ?? element.getAttribute("src") ?? ""}]`;
      element.replaceWith(note);
    }
    if (element.tagName === "A") {
      const href = element.getAttribute("href") ?? "";
      if (/^https?:\/\//i.test(href)) {
        element.setAttribute("target", "_blank");
        element.setAttribute("rel", "noopener noreferrer nofollow");
      } else element.removeAttribute("href");
    }
  });
  return purifier.sanitize(html, {
    USE_PROFILES: { html: true },
    FORBID_TAGS: [
      "style",
      "form",
      "input",
      "button",
      "textarea",
      "select",
      "video",
      "audio",
      "source",
      "picture",
    ],
    FORBID_ATTR: ["style", "class", "id", "name", "srcset", "background"],
    ALLOW_DATA_ATTR: false,
  });
}

export function Markdown({ source }: { source: string }) {
  const html = React.useMemo(() => safeHtml(source), [source]);
  return <div className="dx-markdown" dangerouslySetInnerHTML={{ __html: html }} />;
}

export function MarkdownView({ preview }: { preview: TextPreview }) {
  const whole = preview.start === 0 && preview.end === preview.length;
  return (
    <div className="dx-document" tabIndex={0} role="region" aria-label="Rendered document">
      {!whole && (
        <p className="dx-preview-note">The beginning of the document. The text view has the rest.</p>
      )}
      <Markdown source={preview.text} />
    </div>
  );
}
