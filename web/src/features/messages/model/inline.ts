/** Mentions and `:names:` in the text between Markdown's own marks. */

import { lazily } from "@/lib/lazily";

export type Piece =
  | { kind: "text"; value: string }
  | { kind: "mention"; value: string; name: string }
  | { kind: "shortcode"; value: string; name: string };

// The server's rule (src/parlour/chat/mentions.py): not after what makes it an address, a path or an escape, and not before `@`.
const CANDIDATE =
  /(?<![\p{L}\p{N}_.+\-/@\\])@([\p{L}\p{N}_][\p{L}\p{N}\p{M}_.-]*)|(?<![\p{L}\p{N}:]):([a-z0-9_+-]{2,40}):/gu;

/** The pieces of `text`, which joined are the text again. A mention's `name` is in lower case, as the server compares it. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    const [whole, mention, shortcode] = match;
    const end = match.index + whole.length;
    if (mention !== undefined && text[end] === "@") continue; // ann@example.org
    const value = mention === undefined ? whole : whole.replace(/[.-]+$/, "");
    if (match.index > from) pieces.push({ kind: "text", value: text.slice(from, match.index) });
    pieces.push(
      mention === undefined
        ? { kind: "shortcode", value, name: shortcode ?? "" }
        : { kind: "mention", value, name: value.slice(1).toLowerCase() },
    );
    from = match.index + value.length;
  }
  if (from < text.length) pieces.push({ kind: "text", value: text.slice(from) });
  return pieces;
}

/** A name or text that keeps its direction to itself in a sentence of another (Unicode's FSI and PDI). */
export function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}

const EMOJI_ONLY =
  /^(?:(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[#*0-9]\ufe0f?\u20e3)(?:\ufe0f|\u200d|[\u{1f3fb}-\u{1f3ff}]|[\u{e0020}-\u{e007f}]|\p{Extended_Pictographic})*\s*)+$/u;

const graphemes = lazily(() => new Intl.Segmenter(undefined, { granularity: "grapheme" }));

/** Whether a text is a few emoji and nothing else: they are shown larger. */
export function isFewEmoji(text: string): boolean {
  if (text.length > 60 || !EMOJI_ONLY.test(text)) return false;
  return [...graphemes().segment(text.replace(/\s/g, ""))].length <= 6;
}

const LONG_LINES = 30;
const LONG_CHARACTERS = 2_600;

/** Whether a text is so long that it is shown cut until one asks for the rest. */
export function isLong(text: string): boolean {
  return text.length > LONG_CHARACTERS || text.split("\n", LONG_LINES + 1).length > LONG_LINES;
}
