/** A message's text without its Markdown, each character with its place in the text as it was written. */

import type { Nodes } from "mdast";
import { parseMarkdown } from "@/lib/markdown";

/** Stands between two blocks: the place of no character. */
const SPACE = -1;

/** What Markdown takes away around what stays. */
const MARK = /[\s!-/:-@[-`{-~]/u;
const LINE_END = /[\n\r]/;
const WORDS = /[\p{L}\p{N}](?:.*[\p{L}\p{N}])?/su;

/**
 * What stays of a text when its marks are gone: places among its `characters`, which are code points,
 * and -1 for a space between two blocks.
 *
 * Where a link leads and a block of code's language are marks, too, unless `isHit` says that they are what was searched for.
 */
export function unmarked(characters: readonly string[], isHit: (place: number) => boolean): number[] {
  const text = characters.join("");
  const placeAt = placesByOffset(characters);
  const shown: number[] = [];
  let seen = 0; // all before it is shown or left out
  let cursor = 0; // where the next value is looked for
  let end = characters.length;

  const space = () => {
    if (shown.length > 0 && shown.at(-1) !== SPACE) shown.push(SPACE);
  };
  /** Go past what is between `seen` and a place, but not past a word that was searched for. */
  const leaveOut = (to: number) => {
    let hit = false;
    for (let place = seen; place < to && !hit; place += 1) hit = isHit(place);
    const gap = characters.slice(seen, to).join("");
    const words = hit ? WORDS.exec(gap) : null;
    if (words !== null) {
      const from = seen + Array.from(gap.slice(0, words.index)).length;
      space();
      Array.from(words[0]).forEach((_, index) => shown.push(from + index));
      space();
    }
    seen = to;
  };
  const show = (value: string) => {
    for (const character of value) {
      let place = cursor;
      while (place < end && !isSame(character, characters[place]) && MARK.test(characters[place] ?? "")) place += 1;
      if (place >= end || !isSame(character, characters[place])) continue; // a space that the parser made of half a tab
      leaveOut(place);
      shown.push(place);
      cursor = seen = place + 1;
    }
  };
  const walk = (node: Nodes) => {
    const outer = end;
    if (node.position !== undefined) {
      cursor = Math.max(cursor, placeAt.get(node.position.start.offset ?? 0) ?? 0);
      end = placeAt.get(node.position.end.offset ?? text.length) ?? end;
    }
    if (node.type === "code") {
      while (cursor < end && !LINE_END.test(characters[cursor] ?? "")) cursor += 1; // the fence
      cursor += 1;
    }
    if ("value" in node) show(node.value);
    else if ("children" in node) node.children.forEach(walk);
    if (BLOCKS.has(node.type)) {
      leaveOut(node.position === undefined ? cursor : end);
      space();
    }
    end = outer;
  };
  walk(parseMarkdown(text));
  leaveOut(characters.length);
  if (shown.at(-1) === SPACE) shown.pop();
  return shown;
}

const BLOCKS = new Set(["paragraph", "code", "listItem", "blockquote", "break"]);

/** Whether the parser may have made the one of the other. */
function isSame(value: string, written: string | undefined): boolean {
  return value === written || (value === " " && written === "\n") || (value === "\ufffd" && written === "\0");
}

/** The place of the character that begins at an offset of the text in UTF-16 units, and of its end. */
function placesByOffset(characters: readonly string[]): Map<number, number> {
  const places = new Map<number, number>();
  let offset = 0;
  characters.forEach((character, place) => {
    places.set(offset, place);
    offset += character.length;
  });
  return places.set(offset, characters.length);
}
