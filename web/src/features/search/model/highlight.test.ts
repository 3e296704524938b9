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
