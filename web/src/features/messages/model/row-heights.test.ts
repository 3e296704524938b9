import { describe, expect, it } from "vitest";
import { message } from "../testing/messages";
import { RowHeights } from "./row-heights";
import { rowsOf } from "./rows";

const OPTIONS = { me: "me", complete: false, unreadAfter: undefined };

function rowsUpTo(last: number) {
  const items = Array.from({ length: last }, (_, n) => message(n + 1));
  return rowsOf(items, OPTIONS);
}

describe("the heights of rows", () => {
  it("are estimated until they are measured, and then stay", () => {
    const rows = rowsUpTo(3);
    const heights = new RowHeights();
    const estimated = heights.sum(rows, 0, 3);
    expect(heights.sum(rows, 0, 1)).toBeGreaterThan(heights.sum(rows, 1, 2)); // a day's line, and the name of a group
    heights.measured(rows[1]!, 100.5);
    expect(heights.sum(rows, 1, 2)).toBe(100.5);
    expect(heights.sum(rowsUpTo(4), 0, 3)).toBe(estimated - 32 + 100.5);
  });

  it("tell which rows are so high together, before one and after it", () => {
    const rows = rowsUpTo(10);
    const heights = new RowHeights();
    for (const row of rows) heights.measured(row, 10);
    expect(heights.before(rows, 5, 30)).toBe(2);
    expect(heights.before(rows, 5, 31)).toBe(1);
    expect(heights.before(rows, 5, 500)).toBe(0);
    expect(heights.before(rows, 5, 0)).toBe(5);
    expect(heights.after(rows, 5, 30)).toBe(8);
    expect(heights.after(rows, 5, 500)).toBe(10);
  });

  it("are forgotten of rows that are no longer held, once there are many", () => {
    const heights = new RowHeights();
    const rows = rowsUpTo(2_600);
    for (const row of rows) heights.measured(row, 10);
    const held = rows.slice(0, 500);
    heights.keep(held);
    expect(heights.sum(held, 0, 500)).toBe(5_000);
    expect(heights.sum(rows, 2_599, 2_600)).not.toBe(10);
  });
});
