/** Colours for code: highlight.js by way of lowlight, which makes a tree rather than HTML. A chunk of its own. */

import type { RootContent } from "hast";
import { common, createLowlight } from "lowlight";

const lowlight = createLowlight(common);

const MAX_CACHED = 200;
const cache = new Map<string, RootContent[]>();

/** The tokens of `code`, or undefined for a language that is not known. */
export function highlight(code: string, language: string): RootContent[] | undefined {
  const name = language.toLowerCase();
  if (!lowlight.registered(name)) return undefined;
  const key = `${name} ${code}`;
  let tokens = cache.get(key);
  if (tokens === undefined) {
    tokens = lowlight.highlight(name, code).children;
    if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value ?? "");
    cache.set(key, tokens);
  }
  return tokens;
}
