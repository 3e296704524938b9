// @vitest-environment node
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Reading } from "./reading";
import type { Rooms } from "./rooms";
import type { ReadMark } from "./schema.gen";
import { CommandRefused, NoAnswer } from "./socket";
import { createStores } from "./stores";
import { roomsIn, roomSummary } from "./testing/rooms";

const ROOM = roomSummary({ head: 3, read: 3 });

let rooms: Rooms;
let reading: Reading;
/** Whether this is the tab that sends. */
let leading: boolean;
/** Takes every mark, as the server does. */
const tell = vi.fn(({ seq }: ReadMark) => Promise.resolve({ read: seq }));
const marked = vi.fn();

/** What the server was told, mark by mark. */
const told = () => tell.mock.calls.map(([mark]) => mark);
const counts = (roomId = "room") => rooms.get(roomId)?.counts;

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  leading = true;
  rooms = roomsIn(createStores(), { quiet: (roomId, seq) => reading.readQuietly(roomId, seq) });
  reading = new Reading({ rooms, tell, leading: () => leading, marked });
  rooms.ready([ROOM, roomSummary({ id: "other", head: 3, read: 3 })], "epoch");
});

afterEach(() => {
  reading.close();
  vi.useRealTimers();
});

function comes(seq: number, roomId = "room", sender_id = "ben"): void {
  const event = { id: `m${seq}`, room_id: roomId, seq, sender_id, client_id: `c${seq}`, at: 0 };
  rooms.receive(roomId, [{ ...event, type: "message.created", data: { text: "hello" } }]);
  reading.receive(roomId);
}

describe("while somebody looks at a room", () => {
  beforeEach(() => reading.attend("room"));

  test("what comes is read at once, and the server hears of it a moment later, once", async () => {
    comes(4);
    expect(counts()).toMatchObject({ read: 4, known: 3 });
    comes(5);
    await vi.advanceTimersByTimeAsync(99);
    expect(told()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(told()).toEqual([{ room_id: "room", seq: 5, was: 3 }]);
    comes(6);
    await vi.advanceTimersByTimeAsync(100);
    expect(told().slice(1)).toEqual([{ room_id: "room", seq: 6, was: 5 }]);
  });

  test("what comes elsewhere is not, nor once they look no more", async () => {
    comes(4, "other");
    reading.attend(undefined);
    comes(4);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([counts(), counts("other")]).toMatchObject([{ read: 3 }, { read: 3 }]);
    expect(told()).toEqual([]);
  });

  test("what was read before they look elsewhere is told all the same", async () => {
    comes(4);
    reading.attend("other");
    comes(4, "other");
    await vi.advanceTimersByTimeAsync(100);
    expect(told()).toEqual([
      { room_id: "room", seq: 4, was: 3 },
      { room_id: "other", seq: 4, was: 3 },
    ]);
  });

  test("is told at once when the page goes, and not again", async () => {
    comes(4);
    reading.flush();
    expect(told()).toEqual([{ room_id: "room", seq: 4, was: 3 }]);
    reading.flush(); // hidden, then frozen
    await vi.advanceTimersByTimeAsync(2_000);
    expect(told()).toHaveLength(1);
  });

  test("nothing is told as read of a room that one left meanwhile", async () => {
    comes(4);
    reading.drop("room");
    rooms.remove("room");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(told()).toEqual([]);
  });
});

describe("a room", () => {
  test("is read up to where it is known to go, and told of what is news", () => {
    comes(4);
    reading.markRead("room", 9);
    reading.markRead("room", 4);
    reading.markRead("room", 3);
    expect(told()).toEqual([{ room_id: "room", seq: 4, was: 3 }]);
    expect(marked).not.toHaveBeenCalled();
  });

  test("that is marked unread shows so at once, here, in other tabs and on the server", () => {
    reading.markUnread("room", 2);
    expect(counts()).toMatchObject({ read: 3, markedFrom: 2 });
    expect(marked.mock.calls).toEqual([["room", 2]]);
    expect(told()).toEqual([{ room_id: "room", seq: 1, unread: true }]);
  });

  test("that is read takes its mark back, wherever the server's marker is by then", () => {
    reading.markUnread("room", 2);
    reading.markRead("room", 3);
    expect(counts()?.markedFrom).toBeUndefined();
    expect(marked.mock.calls).toEqual([
      ["room", 2],
      ["room", undefined],
    ]);
    expect(told().slice(1)).toEqual([{ room_id: "room", seq: 3 }]);
  });
});

describe("one's own message", () => {
  test("takes the marker along a second later, and the others of that second with it", async () => {
    comes(4, "room", "ann");
    comes(5, "room", "ann");
    comes(4, "other", "ann");
    await vi.advanceTimersByTimeAsync(999);
    expect(told()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(told()).toEqual([
      { room_id: "room", seq: 5, was: 3 },
      { room_id: "other", seq: 4, was: 3 },
    ]);
  });

  test("leaves the marker of a room that was marked unread in that second, here or elsewhere", async () => {
    comes(4, "room", "ann");
    comes(4, "other", "ann");
    reading.markUnread("room", 2);
    rooms.told("other", 1, { head: 4, mentions: 0 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told()).toEqual([{ room_id: "room", seq: 1, unread: true }]);
    expect([counts(), counts("other")]).toMatchObject([{ markedFrom: 2 }, { read: 1 }]);
  });

  test("does so in each tab, of which the one that sends tells the server", async () => {
    leading = false;
    comes(4, "room", "ann");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(counts()).toMatchObject({ read: 4 });
    expect(told()).toEqual([]);
  });
});

describe("a server that does not take it", () => {
  const slower = (retry_after: number) => new CommandRefused({ code: "rate_limited", message: "", retry_after });

  test("hears it when it is there again, with what was marked meanwhile", () => {
    tell.mockRejectedValue(new NoAnswer());
    comes(4);
    comes(4, "other");
    reading.markRead("room", 4);
    reading.markUnread("other", 2);
    tell.mockReset().mockImplementation(({ seq }) => Promise.resolve({ read: seq }));
    reading.ready([ROOM, roomSummary({ id: "other", head: 4, read: 3 })]);
    expect(told()).toEqual([
      { room_id: "room", seq: 4, was: 3 },
      { room_id: "other", seq: 1, unread: true },
    ]);
  });

  test("hears it again when it has asked for time", async () => {
    tell.mockRejectedValueOnce(slower(2));
    comes(4);
    reading.markRead("room", 4);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(told()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(told().slice(1)).toEqual([{ room_id: "room", seq: 4, was: 3 }]);
    expect(counts()).toMatchObject({ known: 4 });
  });

  test("hears no more of a room that was left, or marked unread elsewhere, in that time", async () => {
    tell.mockRejectedValueOnce(slower(2)).mockRejectedValueOnce(slower(2));
    comes(4);
    comes(4, "other");
    reading.markRead("room", 4);
    reading.markRead("other", 4);
    await vi.advanceTimersByTimeAsync(1_000);
    reading.drop("room");
    rooms.remove("room");
    rooms.told("other", 1, { head: 4, mentions: 0 });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(told()).toHaveLength(2);
  });

  test("hears of no mark that was taken back in that time", async () => {
    tell.mockRejectedValueOnce(slower(2));
    reading.markUnread("room", 2);
    await vi.advanceTimersByTimeAsync(1_000);
    reading.markRead("room", 3);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(told().map(({ unread = false }) => unread)).toEqual([true, false]);
  });
});

test("nothing is told once all is closed", async () => {
  reading.attend("room");
  comes(4);
  comes(4, "other", "ann");
  reading.close();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(told()).toEqual([]);
});
