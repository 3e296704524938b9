import { describe, expect, it } from "vitest";
import { characters, completed, completionAt, matchingPeople, toggled } from "./composing";

it("counts code points as the server does", () => {
  expect(characters("👍".repeat(3_000))).toBe(3_000);
  expect(characters("a".repeat(8_001))).toBe(8_001);
});

it("puts marks around a selection, and takes them away again", () => {
  const bold = toggled({ text: "so it is", start: 3, end: 5 }, "**");
  expect(bold).toEqual({ text: "so **it** is", start: 5, end: 7 });
  expect(toggled(bold, "**")).toEqual({ text: "so it is", start: 3, end: 5 });
  expect(toggled({ text: "", start: 0, end: 0 }, "`")).toEqual({ text: "``", start: 1, end: 1 });
});

describe("completions", () => {
  it.each([
    ["@", "mention", ""],
    ["hi @an", "mention", "an"],
    ["(@jü", "mention", "jü"],
    ["so :ta", "emoji", "ta"],
  ])("%j completes a %s", (text, kind, query) =>
    expect(completionAt(text, text.length)).toMatchObject({ kind, query, start: text.length - query.length - 1 }),
  );
  it.each(["ann@ex", "a/@b", "10:30", ":t", "```\n@an", "`@an", "@an ", "::ta"])("%j completes nothing", (text) =>
    expect(completionAt(text, text.length)).toBeUndefined(),
  );
  it("takes the place of what was typed", () => {
    const text = "hi @an there";
    const completion = completionAt(text, 6)!;
    expect(completed(text, 6, completion, "@ann")).toEqual({ text: "hi @ann there", start: 8, end: 8 });
  });
});

it("finds people by username before names, and by any of their names", () => {
  const people = [
    { username: "zoe", name: "Anna Berg" },
    { username: "anton", name: "Xaver" },
    { username: "x", name: "Maria Anders" },
    { username: "bob", name: "Bob" },
  ];
  expect(matchingPeople(people, "an", 5).map((person) => person.username)).toEqual(["anton", "zoe", "x"]);
});
