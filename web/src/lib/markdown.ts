/** The Markdown that messages are written in: CommonMark without HTML, images, headings, references and indented code. */

import type { Nodes, Root, RootContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmAutolinkLiteralFromMarkdown } from "mdast-util-gfm-autolink-literal";
import { gfmStrikethroughFromMarkdown } from "mdast-util-gfm-strikethrough";
import { gfmAutolinkLiteral } from "micromark-extension-gfm-autolink-literal";
import { gfmStrikethrough } from "micromark-extension-gfm-strikethrough";

/** What a chat does not have: it stays as it was typed. */
const DISABLED = [
  "htmlFlow",
  "htmlText",
  "labelStartImage",
  "definition",
  "characterReference",
  "codeIndented",
  "headingAtx",
  "setextUnderline",
  "thematicBreak",
];

/** No honest text has so many; their pairing takes time that grows with their square. */
const MAX_DELIMITERS = 1_000;
/** Deeper quotes and lists are shown as they were typed. */
export const MAX_DEPTH = 12;
const MAX_CACHED = 2_000;

const SPECIAL = /[*_~`[\]<>\\]|https?:|www\.|@|^[ \t]{0,3}(?:[-+]|\d{1,9}[.)])(?:[ \t]|$)/im;
const DELIMITERS = /[*_~`[\]<>]/g;
/** A line that opens nine quotes and lists at once: each costs the parser a state that it copies for each deeper one. */
const NESTED = /^(?:[ \t]*(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t]))){9}/m;

const cache = new Map<string, Root>();

/** The tree of a message's text; kept for texts that were parsed lately, as rows come and go while one scrolls. */
export function parseMarkdown(text: string): Root {
  let root = cache.get(text);
  if (root === undefined) {
    root = isPlain(text) ? plain(text) : parse(text);
    if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value ?? "");
    cache.set(text, root);
  }
  return root;
}

function isPlain(text: string): boolean {
  return !SPECIAL.test(text) || NESTED.test(text) || (text.match(DELIMITERS)?.length ?? 0) > MAX_DELIMITERS;
}

const BLANK_LINES = /\n(?:[^\S\n]*\n)+/;

/** A text without marks: blank lines part its paragraphs, as they do in Markdown. */
function plain(text: string): Root {
  const paragraphs = text.split(BLANK_LINES).filter((part) => part.trim() !== "");
  return {
    type: "root",
    children: paragraphs.map((value) => ({ type: "paragraph", children: [{ type: "text", value }] })),
  };
}

function parse(text: string): Root {
  try {
    const root = fromMarkdown(text, {
      extensions: [gfmAutolinkLiteral(), gfmStrikethrough({ singleTilde: false }), { disable: { null: DISABLED } }],
      mdastExtensions: [gfmAutolinkLiteralFromMarkdown(), gfmStrikethroughFromMarkdown()],
    });
    return depthOf(root) > MAX_DEPTH ? plain(text) : root;
  } catch (error) {
    if (error instanceof RangeError) return plain(text); // nested beyond the stack
    throw error;
  }
}

/** How deeply nodes are nested, counted without recursion: a message may be made to be deep. */
function depthOf(root: Root): number {
  let level: Nodes[] = [root];
  let depth = 0;
  while (level.length > 0) {
    level = level.flatMap((node): RootContent[] => ("children" in node ? node.children : []));
    depth += 1;
  }
  return depth;
}

const SCHEMES = new Set(["http:", "https:", "mailto:"]);

/** Where a link leads, or undefined where it may not: only to pages and to addresses of mail. */
export function safeHref(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, href } = new URL(url);
  return SCHEMES.has(protocol) ? href : undefined;
}

/** A message in one line: for quotes, pins, notices, notifications and screen readers. */
export function plainText(text: string, limit = 200): string {
  const words: string[] = [];
  let length = 0;
  const walk = (node: Nodes): void => {
    if (length > limit) return;
    if ("value" in node) {
      words.push(node.value);
      length += node.value.length;
    } else if ("children" in node) {
      node.children.forEach(walk);
    }
    if (PARTED.has(node.type)) words.push(" ");
  };
  walk(parseMarkdown(text.slice(0, limit * 4)));
  const line = calm(words.join("")).replace(/\s+/g, " ").trim();
  return line.length > limit ? `${line.slice(0, limit).trimEnd()}…` : line;
}

/** What a space stands behind in one line. */
const PARTED = new Set<Nodes["type"]>(["paragraph", "listItem", "code", "break"]);

const STACKED = /(\p{M}{4})\p{M}+/gu;

/** Text whose letters carry at most four marks: more are no language's, and would cover the lines around. */
export function calm(text: string): string {
  return text.replace(STACKED, "$1");
}
