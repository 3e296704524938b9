/** The text of a hit in pieces: what matched, and what stands around it. */

import { unmarked } from "./unmarked";

export interface Piece {
  text: string;
  hit: boolean;
}

/** Characters of a text that are shown. */
const SHOWN = 320;
/** Of those, how many before the first match. */
const BEFORE = 80;

/**
 * The part of a text around its first match, in pieces and without its Markdown.
 *
 * `highlights` are [start, end) in characters (code points, as Python counts), in order and apart from each other.
 */
export function pieces(text: string, highlights: readonly (readonly [number, number])[]): Piece[] {
  const characters = Array.from(text);
  const hits = new Set<number>();
  for (const [start, end] of highlights) for (let place = start; place < end; place += 1) hits.add(place);
  const isHit = (place: number) => hits.has(place);
  const places = unmarked(characters, isHit);
  const first = Math.max(0, places.findIndex(isHit));
  const from = places.length <= SHOWN ? 0 : Math.max(0, Math.min(first - BEFORE, places.length - SHOWN));
  const found: Piece[] = [];
  for (const place of places.slice(from, from + SHOWN)) {
    const hit = isHit(place);
    const character = characters[place] ?? " ";
    const last = found.at(-1);
    if (last?.hit === hit) last.text += character;
    else found.push({ text: character, hit });
  }
  if (from > 0) found.unshift({ text: "…", hit: false });
  if (from + SHOWN < places.length) found.push({ text: "…", hit: false });
  return found;
}
