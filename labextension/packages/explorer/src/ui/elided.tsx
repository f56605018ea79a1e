import * as React from "react";
import { halves, visible } from "../text";

/** A name that is cut in its middle when there is no room: its end tells files apart. The tip has it whole. */
export function Elided({ text, className = "" }: { text: string; className?: string }) {
  const shown = visible(text);
  if (shown.length < 14) return <span className={`dx-elided ${className}`}>{shown}</span>;
  const [head, tail] = halves(shown);
  return (
    <span className={`dx-elided ${className}`} title={shown}>
      <span className="dx-elided-head">{head}</span>
      <span className="dx-elided-tail">{tail}</span>
    </span>
  );
}
