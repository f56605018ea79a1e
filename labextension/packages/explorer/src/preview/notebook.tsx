import * as React from "react";
import { count } from "../text";
import type { NotebookOutput, NotebookPreview } from "../types";
import { Markdown } from "./markdown";

/** A notebook as it was saved. Nothing in it runs: HTML and scripts in outputs are named and not shown. */
export function NotebookView({ preview }: { preview: NotebookPreview }) {
  return (
    <div className="dx-notebook" tabIndex={0} role="region" aria-label="Notebook">
      <p className="dx-help">
        {count(preview.cells.length, "cell")} · {preview.language}
      </p>
      {preview.cells.map((cell, index) => (
        <div key={index} className={`dx-nb-cell dx-nb-${cell.kind}`}>
          {cell.kind === "markdown" ? <Markdown source={cell.source} /> : <pre>{cell.source}</pre>}
          {cell.outputs.map((output, at) => (
            <Output key={at} output={output} />
          ))}
        </div>
      ))}
    </div>
  );
}

function Output({ output }: { output: NotebookOutput }) {
  switch (output.kind) {
    case "image":
      return output.text.startsWith("data:image/") ? (
        <img className="dx-nb-image" src={output.text} alt="Output of the cell" />
      ) : null;
    case "hidden":
      return <p className="dx-help">An output of HTML or script is not shown. {output.text}</p>;
    case "error":
    case "text":
      return <pre className={`dx-nb-output dx-nb-${output.kind}`}>{output.text}</pre>;
  }
}
