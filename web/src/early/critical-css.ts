/** Runs when index.html is made: of a style sheet what a page with such classes needs. */

/**
 * Leave out the rules each of whose selectors names a class that is not one of `used`. Everything else stays, in its order: what
 * names no class, and layers, also empty ones, whose order is that of their first mention.
 *
 * Throws where the sheet's braces do not match.
 */
export function criticalCss(css: string, used: ReadonlySet<string>): string {
  const [kept, end] = rulesFrom(css, 0, used);
  if (end !== css.length) throw new Error("a style sheet with a brace too many");
  return kept;
}

/** At-rules that have rules in them; others, as `@font-face`, have declarations. */
const GROUPS = /^@(?:layer|media|supports|container)\b/;

/** The rules from `start` on that are kept, until the brace that closes them; where that is. */
function rulesFrom(css: string, start: number, used: ReadonlySet<string>): [kept: string, end: number] {
  let kept = "";
  let at = start;
  while (at < css.length) {
    const mark = next(css, at, "{};");
    const character = css[mark];
    if (character === "}" || character === undefined) return [kept + css.slice(at, mark), mark];
    const prelude = css
      .slice(at, mark)
      .replace(/\/\*.*?\*\//gs, "")
      .trim();
    if (character === ";") {
      kept += css.slice(at, mark + 1);
      at = mark + 1;
    } else if (GROUPS.test(prelude)) {
      const [inside, end] = rulesFrom(css, mark + 1, used);
      if (css[end] !== "}") throw new Error(`a style sheet without the end of ${prelude}`);
      if (inside !== "" || prelude.startsWith("@layer")) kept += `${prelude}{${inside}}`;
      at = end + 1;
    } else {
      const end = closing(css, mark);
      if (prelude.startsWith("@") || isUsed(prelude, used)) kept += prelude + css.slice(mark, end + 1);
      at = end + 1;
    }
  }
  return [kept, at];
}

function isUsed(selectors: string, used: ReadonlySet<string>): boolean {
  // The commas of `:is(a, b)` part a selector, too: then all of its parts are looked at as if each were one, which keeps too much at most.
  return selectors.split(/(?<!\\),/).some((selector) => classesOf(selector).every((name) => used.has(name)));
}

function classesOf(selector: string): string[] {
  return Array.from(selector.matchAll(/\.((?:\\[0-9a-f]{1,6} ?|\\.|[\w-])+)/gi), ([, name = ""]) =>
    name.replace(/\\(?:([0-9a-f]{1,6}) ?|(.))/gi, (_, code?: string, literal?: string) =>
      code === undefined ? (literal ?? "") : String.fromCodePoint(parseInt(code, 16)),
    ),
  );
}

/** Where the block that begins at `open` ends. */
function closing(css: string, open: number): number {
  let depth = 0;
  for (let at = open; at < css.length; at = next(css, at + 1, "{}")) {
    if (css[at] === "{") depth += 1;
    else if (--depth === 0) return at;
  }
  throw new Error(`a style sheet without the end of ${css.slice(open, open + 40)}`);
}

/** Where one of `characters` is next, outside of strings, comments and escapes; the end where there is none. */
function next(css: string, from: number, characters: string): number {
  for (let at = from; at < css.length; at += 1) {
    const character = css.charAt(at);
    if (character === "\\") at += 1;
    else if (character === '"' || character === "'") {
      for (at += 1; at < css.length && css[at] !== character; at += 1) if (css[at] === "\\") at += 1;
    } else if (css.startsWith("/*", at)) at = css.indexOf("*/", at) + 1;
    else if (characters.includes(character)) return at;
  }
  return css.length;
}
