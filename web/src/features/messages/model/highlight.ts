/** Colours for code: highlight.js by way of lowlight, which makes a tree rather than HTML. A chunk of its own. */

import type { RootContent } from "hast";
import { common, createLowlight } from "lowlight";

const lowlight = createLowlight(common);

const MAX_CACHED = 200;
/** With undefined for what cannot be coloured. */
const cache = new Map<string, RootContent[] | undefined>();

/** The tokens of `code`, or undefined for a language that is not known or code that its grammar fails at. */
export function highlight(code: string, language: string): RootContent[] | undefined {
  const name = language.toLowerCase();
  if (!lowlight.registered(name)) return undefined;
  const key = `${name} ${code}`;
  let tokens = cache.get(key);
  if (!cache.has(key)) {
    tokens = coloured(name, code);
    if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value ?? "");
    cache.set(key, tokens);
  }
  return tokens;
}

function coloured(language: string, code: string): RootContent[] | undefined {
  try {
    return lowlight.highlight(language, code).children;
  } catch {
    return undefined; // it is shown without colours
  }
}
