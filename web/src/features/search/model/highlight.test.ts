import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pieces } from "./highlight";

const shown = (text: string, ...highlights: [number, number][]) =>
  pieces(text, highlights)
    .map((piece) => (piece.hit ? `[${piece.text}]` : piece.text))
    .join("");

describe("the pieces of a hit", () => {
  it("are what matched and what stands around it", () => {
    expect(shown("the report is out", [4, 10])).toBe("the [report] is out");
    expect(shown("report", [0, 6])).toBe("[report]");
  });

  it("are the whole text where nothing is marked", () => {
    expect(shown("a message")).toBe("a message");
    expect(shown("")).toBe("");
  });

  it("count characters, not UTF-16 units", () => {
    expect(shown("👍👍 report", [3, 9])).toBe("👍👍 [report]");
  });

  it("show the part around the first match of a long text", () => {
    const text = `${"a".repeat(1000)}hit${"b".repeat(1000)}`;
    const result = shown(text, [1000, 1003]);
    expect(result).toMatch(/^…a{80}\[hit\]b+…$/);
    expect(result.length).toBeLessThan(400);
  });

  it("show the beginning of a long text that matches there", () => {
    expect(shown(`hit${"b".repeat(1000)}`, [0, 3])).toMatch(/^\[hit\]b+…$/);
  });

  it("leave out matches past what is shown", () => {
    expect(shown(`hit${"b".repeat(1000)}hit`, [0, 3], [1003, 1006])).toMatch(/^\[hit\]b+…$/);
  });
});

/** A text as a hit shows it, where the words that are searched for are marked by the server's offsets. */
function found(text: string, ...words: string[]): string {
  const characters = Array.from(text);
  const spans = words.map((word): [number, number] => {
    const length = Array.from(word).length;
    const start = characters.findIndex((_, at) => characters.slice(at, at + length).join("") === word);
    expect(start, word).toBeGreaterThanOrEqual(0);
    return [start, start + length];
  });
  return shown(text, ...spans.sort(([a], [b]) => a - b));
}

describe("a hit that is written in Markdown", () => {
  it.each([
    ["see **this** and _that_", ["that"], "see this and [that]"],
    ["**see this**", ["see", "this"], "[see] [this]"],
    ["a **bold word** here", ["**bold word** here"], "a [bold word here]"],
    ["👍 ~~old~~ `new`", ["new"], "👍 old [new]"],
    ["```ts\nconst long = 1;\n```", ["long"], "const [long] = 1;"],
    ["before\n```\ncode\n```\nafter", ["after"], "before code [after]"],
    ["> quoted\n> twice\n\n- one\n- two", ["twice", "two"], "quoted\n[twice] one [two]"],
    ["1. one\n2. two", ["two"], "one [two]"],
    ["`` a`b `` c", ["b"], "a`[b] c"],
    ["2 \\* 3 is six", ["six"], "2 * 3 is [six]"],
    ["at https://example.org/a_b_c now", ["a_b_c"], "at https://example.org/[a_b_c] now"],
    ["[the plan](https://example.org/plan)", ["the"], "[the] plan"],
    ["- ```\n\tindented by a tab\n  ```", ["tab"], "indented by a [tab]"],
    ["plain\n\n  \ntext of words", ["text", "words"], "plain [text] of [words]"],
    ["snake_case and 2 * 3 * 4", ["3"], "snake_case and 2 * [3] * 4"],
  ] as const)("shows %j without its marks", (text, words, expected) => expect(found(text, ...words)).toBe(expected));

  it("shows what else would be left out where it is that which matched", () => {
    expect(found("[the plan](https://example.org/plan) b", "example")).toBe("the plan https://[example].org/plan  b");
    expect(found("```python\nprint()\n```", "python")).toBe("[python] print()");
  });

  const word = fc.stringMatching(/^[ßäöüéøþ😀👍]{1,6}$/u); // of letters that are in no mark
  const dressed = fc.constantFrom<(text: string) => string>(
    (text) => text,
    (text) => `**${text}**`,
    (text) => `_${text}_`,
    (text) => `~~${text}~~`,
    (text) => `\`${text}\``,
    (text) => `[${text}](https://example.org/0)`,
    (text) => `\n> ${text}\n\n`,
    (text) => `\n- ${text}\n- **${text}**\n\n`,
    (text) => `\n\`\`\`0\n${text}\n\`\`\`\n`,
  );

  it("has all of its words in their order, and those marked that were found", () => {
    const said = fc.record({ word, dress: dressed, isFound: fc.boolean() });
    fc.assert(
      fc.property(fc.array(said, { minLength: 1, maxLength: 8 }), (all) => {
        const spans: [number, number][] = [];
        const expected: string[] = [];
        let text = "";
        for (const { word, dress, isFound } of all) {
          const start = Array.from(text).length;
          const part = ` ${dress(word)} `;
          const characters = Array.from(part);
          const length = Array.from(word).length;
          for (let at = 0; at < characters.length; at += 1) {
            if (characters.slice(at, at + length).join("") !== word) continue;
            if (isFound) spans.push([start + at, start + at + length]);
            expected.push(isFound ? `[${word}]` : word);
          }
          text += part;
        }
        expect(
          shown(text, ...spans)
            .split(/\s+/)
            .filter(Boolean),
        ).toEqual(expected);
      }),
    );
  });

  it("loses no letter that was found, whatever is typed", () => {
    const part = fc.constantFrom(
      ..."*_`~[]()<>#&\\:/-+1.@ \n\t".split(""),
      "a",
      "b",
      "ü",
      "👍",
      "```",
      "https://a.b",
      "\0",
    );
    const letters = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, "");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), fc.array(fc.nat(59), { maxLength: 6 }), (parts, bounds) => {
        const characters = Array.from(parts.join(""));
        const sorted = [...new Set(bounds.filter((bound) => bound < characters.length))].sort((a, b) => a - b);
        const spans = sorted.flatMap((start, index): [number, number][] =>
          index % 2 === 0 ? [[start, sorted[index + 1] ?? characters.length]] : [],
        );
        const hits = pieces(characters.join(""), spans).filter(({ hit }) => hit);
        expect(letters(hits.map(({ text }) => text).join(""))).toBe(
          letters(spans.map(([start, end]) => characters.slice(start, end).join("")).join("")),
        );
      }),
      { numRuns: 500 },
    );
  });
});
