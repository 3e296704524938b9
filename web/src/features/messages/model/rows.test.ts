import { describe, expect, it } from "vitest";
import type { TimelineItem, TimelineNotice } from "@/realtime";
import { message, MINUTE, NOON } from "../testing/messages";
import { indexOfSeq, nextMessage, readersBySeq, rowsOf } from "./rows";

function call(seq: number, type: "call.started" | "call.ended"): TimelineNotice {
  const event = { seq, at: NOON, type, sender_id: "ann", data: { call_id: "call" } } as TimelineNotice["event"];
  return { type: "notice", key: `notice ${seq}`, seq, at: NOON + seq * MINUTE, event };
}

function kinds(items: TimelineItem[], unreadAfter?: number, complete = false): string[] {
  return rowsOf(items, { me: "me", complete, unreadAfter }).flatMap((row) => [
    ...(row.kind !== "start" && row.day !== undefined ? ["day"] : []),
    ...(row.kind !== "start" && row.unread ? ["unread"] : []),
    row.kind === "message" && row.grouped ? "grouped" : row.kind,
  ]);
}

describe("rows", () => {
  it("groups what one author writes within five minutes", () => {
    expect(kinds([message(1), message(2), message(8), message(9, { sender_id: "bob" })])).toEqual([
      "day",
      "message",
      "grouped",
      "message",
      "message",
    ]);
  });

  it("begins a group anew with an answer, a deletion and a notice", () => {
    const items = [
      message(1),
      message(2, { reply_to: "x" }),
      message(3, { deleted_at: 1 }),
      message(4),
      call(5, "call.ended"),
    ];
    expect(kinds([...items, message(6)])).toEqual([
      "day",
      "message",
      "message",
      "message",
      "message",
      "notice",
      "message",
    ]);
  });

  it("puts a line where the day changes", () => {
    expect(kinds([message(1), message(2, { at: NOON + 24 * 60 * MINUTE })])).toEqual([
      "day",
      "message",
      "day",
      "message",
    ]);
  });

  it("puts the line of what is new before the first message of somebody else", () => {
    const items = [message(1), message(2, { sender_id: "me" }), message(3), message(4)];
    expect(kinds(items, 1)).toEqual(["day", "message", "message", "unread", "message", "grouped"]);
    expect(kinds(items, 4)).not.toContain("unread");
  });

  it("puts none while what is new begins above all that is held", () => {
    const items = [message(7), message(8)];
    expect(kinds(items, 5)).not.toContain("unread");
    expect(kinds(items, 6)).toContain("unread");
    expect(kinds(items, 5, true)).toContain("unread");
  });

  it("says once that a call was", () => {
    expect(kinds([call(1, "call.started"), call(2, "call.ended")])).toEqual(["day", "notice"]);
    expect(kinds([call(1, "call.started")])).toEqual(["day", "notice"]);
  });

  it("begins with the beginning only where it is known", () => {
    expect(kinds([message(1)], undefined, true)).toEqual(["start", "day", "message"]);
  });

  it("keeps keys when older items come", () => {
    const keys = (items: TimelineItem[]) =>
      rowsOf(items, { me: "me", complete: false, unreadAfter: undefined }).flatMap((row) =>
        row.kind === "message" ? [row.key] : [],
      );
    expect(keys([message(1), message(2)]).slice(1)).toEqual(keys([message(2)]));
  });
});

it("gives the very same rows for what has not changed", () => {
  const items = [message(1), message(2), call(3, "call.ended")];
  const options = { me: "me", complete: false, unreadAfter: undefined };
  const before = rowsOf(items, options);
  const edited = message(2, { text: "otherwise" });
  const after = rowsOf([items[0]!, edited, items[2]!, message(4)], options);
  expect(after.map((row, index) => row === before[index])).toEqual([true, false, true, false]);
  const [, , , fourth] = after;
  const marked = rowsOf([items[0]!, edited, items[2]!, message(4)], { ...options, unreadAfter: 1 });
  expect(marked[1]).toMatchObject({ unread: true, grouped: false });
  expect(marked[0]).toBe(before[0]);
  expect(fourth).toMatchObject({ unread: false });
});

it("finds rows by seq, and messages next to a row", () => {
  const rows = rowsOf([message(3), message(5), message(0, { key: "pending" })], {
    me: "me",
    complete: false,
    unreadAfter: undefined,
  });
  expect([indexOfSeq(rows, 3), indexOfSeq(rows, 4), indexOfSeq(rows, 6)]).toEqual([0, 1, -1]);
  expect(nextMessage(rows, 0, 1)?.key).toBe("key 3");
  expect(nextMessage(rows, -1, -1)).toBeUndefined();
});

it("puts each reader at the last message that they have read", () => {
  const reads = new Map([
    ["ann", 9],
    ["zoe", 9],
    ["bob", 4],
    ["eve", 1],
    ["me", 5],
  ]);
  const items = [message(3), call(4, "call.ended"), message(5), message(0, { key: "pending" })];
  expect([...readersBySeq(items, reads, "me")]).toEqual([
    [5, ["zoe"]],
    [3, ["bob"]],
  ]);
});
