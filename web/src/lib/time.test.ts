import { expect, it } from "vitest";
import { dayOf, daysBetween, timesFor } from "./time";

/** In the zone of whoever runs the test: what is compared are calendar days. */
const at = (text: string) => new Date(text).getTime();
const now = at("2025-03-12T15:30:00");
const english = timesFor("en-GB", "24");
const german = timesFor("de-DE", "system");

it.each([
  ["2025-03-12T00:00:00", "Today"],
  ["2025-03-11T23:59:00", "Yesterday"],
  ["2025-03-10T12:00:00", "Monday"],
  ["2025-03-05T12:00:00", "5 March"],
  ["2024-12-31T12:00:00", "31 December 2024"],
  ["2025-03-13T12:00:00", "13 March"],
])("calls the day of %s %s", (when, day) => {
  expect(english.day(at(when), now)).toBe(day);
});

it("speaks the language", () => {
  expect(german.day(at("2025-03-11T10:00:00"), now)).toBe("Gestern");
  expect(german.day(at("2025-03-05T10:00:00"), now)).toBe("5. März");
  expect(german.relative(now - 5 * 60_000, now)).toBe("vor 5 Minuten");
});

it("tells minutes apart, and one minute from the same one an hour later", () => {
  const noon = at("2025-03-12T12:00:00");
  const texts = [noon, noon + 59_999, noon + 60_000, noon + 3_600_000].map((each) => english.time(each));
  expect(texts).toEqual(["12:00", "12:00", "12:01", "13:00"]);
  expect(english.full(noon + 86_400_000)).toMatch(/^Thursday,? 13 March 2025, 12:00$/);
});

it("knows 12 and 24 hours", () => {
  const noon = at("2025-03-12T15:05:00");
  expect(english.time(noon)).toBe("15:05");
  expect(timesFor("en-GB", "12").time(noon)).toBe("3:05 pm");
  expect(german.time(noon)).toBe("15:05");
  const midnight = at("2025-03-12T00:05:00");
  expect(timesFor("en-US", "24").time(midnight)).toBe("00:05");
  expect(timesFor("en-US", "12").time(midnight)).toMatch(/^12:05\sAM$/);
  expect(timesFor("en-GB", "system").time(midnight)).toBe("00:05");
});

it.each([
  [0, "this minute"],
  [59_000, "this minute"],
  [61_000, "1 minute ago"],
  [2 * 3_600_000, "2 hours ago"],
  [26 * 3_600_000, "yesterday"],
  [40 * 86_400_000, "31 Jan"],
])("tells %i ms ago", (ago, text) => {
  expect(english.relative(now - ago, now)).toBe(text);
});

it.each([
  [0, "0:00"],
  [65_400, "1:05"],
  [3_723_000, "1:02:03"],
])("writes %i ms as %s", (milliseconds, text) => {
  expect(english.duration(milliseconds)).toBe(text);
});

it("counts calendar days, also where one has 23 or 25 hours", () => {
  expect(daysBetween(at("2025-03-29T23:00:00"), at("2025-03-31T01:00:00"))).toBe(2);
  expect(daysBetween(at("2025-10-25T23:00:00"), at("2025-10-27T01:00:00"))).toBe(2);
});

it.each(["2025-03-12T00:00:00", "2025-03-12T23:59:59", "2025-03-30T12:00:00", "2025-10-26T12:00:00"])(
  "knows from when to when the day of %s is",
  (when) => {
    const { from, to } = dayOf(at(when));
    expect(from).toBe(at(`${when.slice(0, 10)}T00:00:00`));
    expect([daysBetween(from, to), daysBetween(from, to - 1)]).toEqual([1, 0]);
  },
);

it("makes formatters once for all who ask", () => {
  expect(timesFor("en-GB", "24")).toBe(english);
});
