import { expect, it } from "vitest";
import { filterCount, filtersFrom, paramsOf, queryOf } from "./filters";

it("go into the address and come back from it", () => {
  const filters = {
    q: "report",
    room: "r",
    from: "u",
    after: "2026-01-02",
    before: "2026-02-03",
    has: "link",
  } as const;
  expect(filtersFrom(new URLSearchParams(paramsOf(filters)))).toEqual(filters);
  expect(filtersFrom(new URLSearchParams())).toEqual({ q: "" });
});

it("take nothing from an address that the server would refuse", () => {
  expect(filtersFrom(new URLSearchParams("q=a&has=code&after=yesterday"))).toEqual({ q: "a" });
  expect(filtersFrom(new URLSearchParams({ q: "a".repeat(900) })).q).toHaveLength(500);
});

it("mean whole days where the person is, the first and the last included", () => {
  const { after, before } = queryOf({ q: "a", after: "2026-03-01", before: "2026-03-01" });
  expect(new Date(Number(after) + 1)).toEqual(new Date(2026, 2, 1));
  expect(new Date(Number(before))).toEqual(new Date(2026, 2, 2));
});

it("are counted without the words", () => {
  expect(filterCount({ q: "a" })).toBe(0);
  expect(filterCount({ q: "a", has: "pin", from: "u" })).toBe(2);
});
