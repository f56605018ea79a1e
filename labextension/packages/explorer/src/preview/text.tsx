import * as React from "react";
import type { PreviewQuery } from "../client";
import { number, size } from "../text";
import type { TextPreview } from "../types";
import { Button, IconButton } from "../ui/button";

interface TextViewProps {
  preview: TextPreview;
  loading: boolean;
  onAsk: (query: PreviewQuery) => void;
}

/** A window of a text of any size: its head, its tail, or anywhere between. */
export function TextView({ preview, loading, onAsk }: TextViewProps) {
  const { text, start, end, length, packed } = preview;
  const [wrap, setWrap] = React.useState(true);
  const body = React.useRef<HTMLPreElement>(null);
  const atEnd = React.useRef(false);
  React.useEffect(() => {
    const element = body.current;
    if (element !== null) element.scrollTop = atEnd.current ? element.scrollHeight : 0;
  }, [start, end]);
  const ask = (at: NonNullable<PreviewQuery["at"]>, toEnd = false): void => {
    atEnd.current = toEnd;
    onAsk({ at });
  };
  const whole = start === 0 && end === length;
  return (
    <div className="dx-text">
      <div className="dx-text-bar">
        {whole ? (
          <span>{text === "" ? "The file is empty" : `The whole file, ${size(end)}`}</span>
        ) : (
          <>
            <Button disabled={start === 0 || loading} onClick={() => ask("start")}>
              Head
            </Button>
            <Button
              icon="up"
              disabled={start === 0 || loading}
              onClick={() => ask(Math.max(0, start - (end - start)), true)}
            >
              Earlier
            </Button>
            <Button icon="down" disabled={end === length || loading} onClick={() => ask(end)}>
              Later
            </Button>
            <Button
              disabled={end === length || loading || (packed !== null && length === null)}
              title={
                packed !== null && length === null ? "A packed file is read from its beginning" : undefined
              }
              onClick={() => ask("end", true)}
            >
              Tail
            </Button>
            <Jump length={length} start={start} onJump={(at) => ask(at)} />
            <span className="dx-text-where" role="status">
              {place(preview)}
            </span>
          </>
        )}
        <IconButton icon="wrap" label="Wrap long lines" aria-pressed={wrap} onClick={() => setWrap(!wrap)} />
      </div>
      {!whole && length !== null && (
        <div className="dx-text-map" aria-hidden="true">
          <span
            style={{
              left: `${(100 * start) / length}%`,
              width: `${Math.max(0.5, (100 * (end - start)) / length)}%`,
            }}
          />
        </div>
      )}
      <pre
        ref={body}
        className={wrap ? "dx-wrap" : ""}
        tabIndex={0}
        role="region"
        aria-label="Text of the file"
      >
        {text}
      </pre>
    </div>
  );
}

function place({ start, end, length, packed }: TextPreview): string {
  const window = `${number(start)}–${number(end)}`;
  const of = length === null ? "" : ` of ${number(length)}`;
  return `bytes ${window}${of}${packed === null ? "" : " unpacked"}`;
}

interface JumpProps {
  length: number | null;
  start: number;
  onJump: (at: number) => void;
}

/** Goes anywhere: "50%" of the text, or a byte. */
function Jump({ length, start, onJump }: JumpProps) {
  const [text, setText] = React.useState("");
  const at = jumpTo(text, length);
  return (
    <form
      className="dx-jump"
      onSubmit={(event) => {
        event.preventDefault();
        if (at === undefined || at === start) return;
        setText("");
        onJump(at);
      }}
    >
      <input
        className="dx-input"
        aria-label={length === null ? "Jump to a byte" : "Jump to a percentage or a byte"}
        placeholder={length === null ? "byte" : "50%"}
        aria-invalid={text !== "" && at === undefined ? true : undefined}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <Button type="submit" disabled={at === undefined}>
        Jump
      </Button>
    </form>
  );
}

export function jumpTo(text: string, length: number | null): number | undefined {
  const found = /^(\d+(?:\.\d+)?)\s*(%)?$/.exec(text.replaceAll(",", "").trim());
  if (found === null) return undefined;
  const value = Number(found[1]);
  if (found[2] === undefined) return Math.min(Math.floor(value), Math.max(0, (length ?? Infinity) - 1));
  return length === null || value > 100 ? undefined : Math.floor((length * value) / 100);
}
