/** The text of a hit in pieces: what matched, and what stands around it. */

export interface Piece {
  text: string;
  hit: boolean;
}

/** Characters of a text that are shown. */
const SHOWN = 320;
/** Of those, how many before the first match. */
const BEFORE = 80;

/**
 * The part of a text around its first match, in pieces.
 *
 * `highlights` are [start, end) in characters (code points, as Python counts), in order and apart from each other.
 */
export function pieces(text: string, highlights: readonly (readonly [number, number])[]): Piece[] {
  const characters = Array.from(text);
  const first = highlights[0]?.[0] ?? 0;
  const from = characters.length <= SHOWN ? 0 : Math.max(0, Math.min(first - BEFORE, characters.length - SHOWN));
  const to = Math.min(characters.length, from + SHOWN);
  const found: Piece[] = [];
  const add = (start: number, end: number, hit: boolean) => {
    const part = characters.slice(Math.max(start, from), Math.min(end, to)).join("");
    if (part !== "") found.push({ text: part, hit });
  };
  let at = from;
  for (const [start, end] of highlights) {
    if (start >= to) break;
    add(at, start, false);
    add(start, end, true);
    at = Math.max(at, end);
  }
  add(at, to, false);
  if (from > 0) found.unshift({ text: "…", hit: false });
  if (to < characters.length) found.push({ text: "…", hit: false });
  return found;
}
