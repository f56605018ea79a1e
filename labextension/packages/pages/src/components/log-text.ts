/** Logs as lines of plain text. */

// Terminal control sequences: CSI (colours, cursor) and OSC (titles, links).
// eslint-disable-next-line no-control-regex
const ESCAPES = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\))/g;

/** Without colours and cursor movements; of a line that was redrawn (progress bars), the last state. */
export function plain(text: string): string {
  if (!text.includes("\u001b") && !text.includes("\r")) return text;
  return text
    .replace(ESCAPES, "")
    .replace(/\r+\n/g, "\n")
    .replace(/^.*\r(?!$)/gm, "");
}

export interface Piece {
  text: string;
  /** The number of the match; undefined for text between matches. */
  match?: number;
}

export const MATCHES_MAX = 1000;

/** `text` cut at the matches of `word`, in any case; at most MATCHES_MAX are marked. */
export function pieces(text: string, word: string): { pieces: Piece[]; matches: number } {
  if (word === "") return { pieces: [{ text }], matches: 0 };
  const found: Piece[] = [];
  const [inside, wanted] = [text.toLowerCase(), word.toLowerCase()];
  let from = 0;
  let matches = 0;
  for (
    let at = inside.indexOf(wanted);
    at !== -1 && matches < MATCHES_MAX;
    at = inside.indexOf(wanted, from)
  ) {
    if (at > from) found.push({ text: text.slice(from, at) });
    found.push({ text: text.slice(at, at + wanted.length), match: matches });
    matches += 1;
    from = at + wanted.length;
  }
  found.push({ text: text.slice(from) });
  return { pieces: found, matches };
}

/** The last `lines` lines of `text`, and how many are before them. */
export function tail(text: string, lines: number): { text: string; hidden: number } {
  let at = text.length;
  for (let n = 0; n <= lines; n += 1) {
    at = text.lastIndexOf("\n", at - 1);
    if (at <= 0) return { text, hidden: 0 };
  }
  return { text: text.slice(at + 1), hidden: text.slice(0, at + 1).split("\n").length - 1 };
}
