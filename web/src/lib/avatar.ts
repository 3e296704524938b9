import { lazily } from "./lazily";

/** How many colours styles/avatar.css has. */
const TONES = 10;

/** The colour of a person or room, from the id: the same on every device. */
export function toneOf(id: string): number {
  let hash = 0;
  for (let index = 0; index < id.length; index += 1) hash = (hash * 31 + id.charCodeAt(index)) | 0;
  return Math.abs(hash) % TONES;
}

/** Begins with a letter by itself, whatever follows: most names need no segmenter. */
const PLAIN = /^[!-~](?:[!-~]|$)/;
const segmenter = lazily(() => new Intl.Segmenter(undefined, { granularity: "grapheme" }));

function first(word: string): string {
  if (PLAIN.test(word)) return word.charAt(0);
  const [segment] = segmenter().segment(word);
  return segment?.segment ?? "";
}

/** The first letters of the first and the last word of a name; in scripts without case a single one. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const [start = name.trim(), ...rest] = words;
  const letters = first(start) + (rest.length > 0 ? first(rest.at(-1) ?? "") : "");
  return letters.toLocaleUpperCase();
}
