import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fromSummary,
  isBehind,
  mentionsOf,
  quietUpTo,
  shownRead,
  unreadOf,
  withEvent,
  withKnown,
  withMark,
  withRead,
  withUnread,
  type Counts,
} from "./room-counts";
import type { RoomEvent, RoomSummary } from "./schema.gen";
import { roomSummary } from "./testing/rooms";
import { logs } from "./testing/logs";

const ME = "ann";

function summary(head: number, read: number, mentions = 0): RoomSummary {
  return roomSummary({ head, read, unread: head - read, mentions });
}

function message(seq: number, data: { mentions?: string[]; mentions_room?: true } = {}, sender_id = "ben"): RoomEvent {
  const base = { room_id: "room", seq, id: `m${seq}`, sender_id, client_id: `c${seq}`, at: seq };
  return { ...base, type: "message.created", data: { text: "", ...data } };
}

const counted = (counts: Counts) => ({ unread: unreadOf(counts), mentions: mentionsOf(counts) });

describe("unread", () => {
  test("begins as the server counts it", () => {
    expect(counted(fromSummary(summary(42, 40, 1)))).toEqual({ unread: 2, mentions: 1 });
  });

  test("grows by what others write, not by reactions and one's own messages", () => {
    let counts = fromSummary(summary(5, 5));
    counts = withEvent(counts, message(6), ME);
    counts = withEvent(counts, message(7, {}, ME), ME);
    const reaction: RoomEvent = { ...message(8), type: "reaction.added", data: { message_id: "m1", emoji: "x" } };
    counts = withEvent(counts, reaction, ME);
    expect(counted(counts)).toEqual({ unread: 1, mentions: 0 });
  });

  test("is nothing once all is read, here or elsewhere", () => {
    const counts = withRead(withEvent(fromSummary(summary(5, 3, 1)), message(6, { mentions: [ME] }), ME), 6);
    expect(counted(counts)).toEqual({ unread: 0, mentions: 0 });
  });

  test("takes off what a sync shows to be nothing to read", () => {
    let counts = fromSummary(summary(9, 6));
    expect(unreadOf(counts)).toBe(3);
    counts = withEvent(counts, message(8, {}, ME), ME);
    expect(unreadOf(counts)).toBe(2);
    expect(unreadOf(withEvent(counts, message(8, {}, ME), ME))).toBe(2);
  });

  test("stays read where the server has not heard of it yet", () => {
    const before = withRead(fromSummary(summary(9, 6, 2)), 9);
    const after = fromSummary(summary(10, 6, 3), before);
    expect(after.read).toBe(9);
    expect(unreadOf(after)).toBe(1);
  });

  test("may be marked by hand, and the mark taken away", () => {
    const counts = withMark(fromSummary(summary(9, 9)), 8);
    expect(unreadOf(counts)).toBe(2);
    expect(shownRead(counts)).toBe(7);
    expect(quietUpTo(counts)).toBe(9);
    expect(unreadOf(withMark(counts, undefined))).toBe(0);
  });
});

describe("mentions", () => {
  test("of the user and of the room count, those of others do not", () => {
    let counts = fromSummary(summary(0, 0));
    counts = withEvent(counts, message(1, { mentions: ["cem"] }), ME);
    counts = withEvent(counts, message(2, { mentions: [ME] }), ME);
    counts = withEvent(counts, message(3, { mentions_room: true }), ME);
    counts = withEvent(counts, message(3, { mentions_room: true }), ME);
    counts = withEvent(counts, message(4, { mentions_room: true }, ME), ME);
    expect(counted(counts)).toEqual({ unread: 3, mentions: 2 });
    expect(counted(withRead(counts, 2))).toEqual({ unread: 1, mentions: 1 });
  });

  test("that the server has counted are not counted again", () => {
    const counts = withEvent(fromSummary(summary(3, 0, 1)), message(2, { mentions: [ME] }), ME);
    expect(mentionsOf(counts)).toBe(1);
  });
});

describe("a marker that was moved back on purpose", () => {
  test("shows what lies past it, with the mentions that the server counts and those that came since", () => {
    let counts = withRead(fromSummary(summary(9, 4, 2)), 9);
    counts = withEvent(counts, message(10, { mentions: [ME] }), ME);
    counts = withUnread(counts, 4, { head: 9, mentions: 2 });
    expect(counted(counts)).toEqual({ unread: 6, mentions: 3 });
    expect(shownRead(counts)).toBe(4);
    expect(counted(withRead(counts, 10))).toEqual({ unread: 0, mentions: 0 });
  });

  test("takes the place of the mark that this device has shown until then", () => {
    const counts = withUnread(withMark(fromSummary(summary(9, 9)), 5), 4, { head: 9, mentions: 0 });
    expect([shownRead(counts), counts.markedFrom]).toEqual([4, undefined]);
  });

  test("is told by the next summary, and what was read here without a connection is not mistaken for it", () => {
    const read = withRead(fromSummary(summary(9, 7)), 9);
    expect(shownRead(fromSummary(summary(9, 7), read))).toBe(9);
    expect(shownRead(fromSummary(summary(9, 4, 1), read))).toBe(4);
    expect(shownRead(fromSummary(summary(9, 8), withKnown(read, 9)))).toBe(8);
  });

  test("is pending until a summary has it", () => {
    const marked = withMark(fromSummary(summary(9, 9)), 5);
    expect(fromSummary(summary(9, 9), marked).markedFrom).toBe(5);
    expect(fromSummary(summary(9, 4), marked).markedFrom).toBeUndefined();
  });
});

test("a server that says less than before is behind, one that says the same or more is not", () => {
  const counts = withEvent(fromSummary(summary(9, 9)), message(10), ME);
  expect([9, 10, 11].map((head) => isBehind(summary(head, 9), counts))).toEqual([true, false, false]);
});

test("for any log, in any order and however often events come, the count is that of others' messages past the marker", () => {
  fc.assert(
    fc.property(logs({ minLength: 1 }), fc.array(fc.nat(100)), fc.nat(40), (log, picks, read) => {
      const shuffled = [...picks.map((pick) => log[pick % log.length]!), ...log.toReversed()];
      const counts = shuffled.reduce((before, event) => withEvent(before, event, ME), fromSummary(summary(0, 0)));
      const marker = Math.min(read, log.length);
      const others = log.filter(
        (each) => each.type === "message.created" && each.sender_id !== ME && each.seq > marker,
      );
      expect(unreadOf(withRead(counts, marker))).toBe(others.length);
    }),
  );
});
