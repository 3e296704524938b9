/** Finding a name by some of its letters, and which of several was meant. */

/** Lower case without accents, a UTF-16 unit for a unit where that is possible, so that places stay the same. */
export function fold(text: string): string {
  return Array.from(text, (character) => {
    const bare = character.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    return bare.length === character.length ? bare : character.toLowerCase().slice(0, character.length);
  }).join("");
}

const BOUNDARY = /[\s\-_.#@/]/;

function startsWord(text: string, index: number): boolean {
  return index === 0 || BOUNDARY.test(text.charAt(index - 1));
}

/**
 * How well `query` names `text`: undefined where its letters are not in it in that order, else 0 to 1.
 *
 * The whole name is best, then its beginning, then a word's beginning, then the initials of words, then a part, and last letters
 * here and there. Both are folded already.
 */
export function score(query: string, text: string): number | undefined {
  if (query === "") return 0;
  if (text === query) return 1;
  if (text.startsWith(query)) return 0.9;
  for (let at = text.indexOf(query); at !== -1; at = text.indexOf(query, at + 1)) {
    if (startsWord(text, at)) return 0.8;
  }
  const scattered = scatteredScore(query, text);
  if (text.includes(query)) return Math.max(0.6, scattered ?? 0);
  return scattered;
}

/** Letter by letter, words' beginnings first: up to 0.7 when all are such (initials), less for each that is not. */
function scatteredScore(query: string, text: string): number | undefined {
  let at = 0;
  let good = 0;
  const letters = query.replace(/\s+/g, "");
  for (const letter of letters) {
    const adjacent = text.charAt(at) === letter && at > 0;
    const found = adjacent ? at : (wordStart(text, letter, at) ?? text.indexOf(letter, at));
    if (found === -1) return undefined;
    if (adjacent || startsWord(text, found)) good += 1;
    at = found + 1;
  }
  return 0.1 + 0.6 * (good / letters.length) ** 2;
}

function wordStart(text: string, letter: string, from: number): number | undefined {
  for (let at = text.indexOf(letter, from); at !== -1; at = text.indexOf(letter, at + 1)) {
    if (startsWord(text, at)) return at;
  }
  return undefined;
}

export interface Candidate<Item> {
  item: Item;
  /** All that it may be called by; the best counts. */
  names: readonly string[];
  /** When it was last of interest, in ms; of equals the later one comes first. */
  at: number;
  /** Something new waits there. */
  waiting: boolean;
}

const DAY = 24 * 60 * 60 * 1000;

/** Those that match, best first. Without a query: what waits, then the latest. */
export function rank<Item>(query: string, candidates: readonly Candidate<Item>[], now: number): Item[] {
  const wanted = fold(query.trim());
  const scored = candidates.flatMap((candidate) => {
    const best = Math.max(...candidate.names.map((name) => score(wanted, fold(name)) ?? -1));
    if (best < 0) return [];
    // At most 0.09 beside the match: the room of today comes before that of last year, never a worse match before a better one.
    const recent = candidate.at === 0 ? 0 : 0.05 / (1 + Math.max(0, now - candidate.at) / DAY);
    return [{ ...candidate, total: best + recent + (candidate.waiting ? 0.04 : 0) }];
  });
  scored.sort(
    wanted === ""
      ? (a, b) => Number(b.waiting) - Number(a.waiting) || b.at - a.at
      : (a, b) => b.total - a.total || b.at - a.at,
  );
  return scored.map(({ item }) => item);
}
