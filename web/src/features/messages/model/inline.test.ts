import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFewEmoji, isLong, piecesOf } from "./inline";

const mentions = (text: string) => piecesOf(text).flatMap((piece) => (piece.kind === "mention" ? [piece.name] : []));

describe("mentions follow the server's rule", () => {
  it.each([
    ["@ann", ["ann"]],
    ["hi @Ann, @bob.", ["ann", "bob"]],
    ["@a.b-c...", ["a.b-c"]],
    ["(@ann)", ["ann"]],
    ["@jürgen", ["jürgen"]],
    ["ann@example.org", []],
    ["@ann@example.org", []],
    ["example.org/@ann", []],
    ["\\@ann", []],
    ["@", []],
    ["@@ann", []],
  ])("%j", (text, names) => expect(mentions(text)).toEqual(names));
});

it("finds emoji by name, and no times of day", () => {
  expect(piecesOf("so :tada: at 10:30:15").map((piece) => piece.kind)).toEqual(["text", "shortcode", "text"]);
});

it("loses nothing of the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("@", "a", ":", "-", ".", " ", "é", "\\", "/") }), (text) => {
      expect(
        piecesOf(text)
          .map((piece) => piece.value)
          .join(""),
      ).toBe(text);
    }),
  );
});

it("knows a few emoji alone from text", () => {
  expect(["👍", "👍🏽 🎉", "👨‍👩‍👧", "🇩🇪"].map(isFewEmoji)).toEqual([true, true, true, true]);
  expect(["a👍", "12", "👍".repeat(7), "", "#"].map(isFewEmoji)).toEqual([false, false, false, false, false]);
});

it("cuts texts of many lines or letters", () => {
  expect([isLong("a\n".repeat(29)), isLong("a\n".repeat(30)), isLong("a".repeat(3_000))]).toEqual([false, true, true]);
});
