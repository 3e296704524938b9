import { describe, expect, it } from "vitest";
import { fold, rank, score } from "./fuzzy";

const NOW = 1_750_000_000_000;
const DAY = 86_400_000;

function order(query: string, names: readonly string[]): string[] {
  return rank(
    query,
    names.map((name) => ({ item: name, names: [name], at: 0, waiting: false })),
    NOW,
  );
}

describe("a match", () => {
  it("needs all letters in their order", () => {
    expect(score("gnrl", "general")).toBeDefined();
    expect(score("lareneg", "general")).toBeUndefined();
    expect(score("x", "general")).toBeUndefined();
  });

  it("is better the nearer it is to the whole name", () => {
    expect(order("design", ["web-design", "redesign", "design", "design-review", "d-e-sign"])).toEqual([
      "design",
      "design-review",
      "web-design",
      "d-e-sign",
      "redesign",
    ]);
  });

  it("takes initials of words before letters here and there", () => {
    expect(order("dr", ["cedar", "design review"])).toEqual(["design review", "cedar"]);
  });

  it("knows neither case nor accents", () => {
    expect(fold("Žofie Ångström")).toBe("zofie angstrom");
    expect(order("zof", ["Žofie"])).toEqual(["Žofie"]);
  });

  it("takes names of any script, and keeps the length of what it cannot fold", () => {
    expect(order("東", ["東京"])).toEqual(["東京"]);
    expect(fold("ﬁn")).toHaveLength("ﬁn".length);
  });
});

describe("the rank", () => {
  const at = (item: string, days: number, waiting = false) => ({
    item,
    names: [item],
    at: NOW - days * DAY,
    waiting,
  });

  it("puts the later of two equal matches first", () => {
    expect(rank("team", [at("team-old", 300), at("team-new", 0)], NOW)).toEqual(["team-new", "team-old"]);
  });

  it("never puts a worse match before a better one for being recent", () => {
    expect(rank("team", [at("team", 900), at("a team", 0, true)], NOW)).toEqual(["team", "a team"]);
  });

  it("without a query shows what waits, then the latest", () => {
    expect(rank("", [at("old", 9), at("new", 1), at("waiting", 30, true)], NOW)).toEqual(["waiting", "new", "old"]);
  });
});
