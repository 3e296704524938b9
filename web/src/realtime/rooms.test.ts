import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Rooms } from "./rooms";
import type { RoomEvent, RoomSummary } from "./schema.gen";
import { clear, createStores } from "./stores";
import { roomsIn } from "./testing/rooms";

const stores = createStores();
let rooms: Rooms;
beforeEach(() => {
  rooms = roomsIn(stores);
});
afterEach(() => clear(stores));

function summary(id: string, last_at: number): RoomSummary {
  const counts = { head: 1, read: 1, unread: 0, mentions: 0, created_at: 0, joined_at: 0, last_at };
  return { id, name: id, kind: "direct", topic: "", role: "member", notify: "all", ...counts };
}

function lastAt(id: string): number | undefined {
  rooms.flush();
  return stores.rooms.getState().rooms.get(id)?.lastAt;
}

describe("a server that was set back to a backup", () => {
  const at = (head: number, read: number): RoomSummary => ({ ...summary("a", 10 * head), head, read });
  const state = () => {
    rooms.flush();
    return stores.rooms.getState().rooms.get("a");
  };

  beforeEach(() => {
    rooms.ready([at(9, 7), summary("b", 0)], "epoch");
    rooms.receive("a", [
      {
        room_id: "a",
        sender_id: "ann",
        client_id: "c",
        seq: 5,
        id: "5",
        at: 95,
        type: "message.deleted",
        data: { message_id: "1" },
      },
    ]);
  });

  test("is believed in all that it says: how far a room is, and how far it was read", () => {
    rooms.ready([at(4, 3), summary("b", 0)], "epoch");
    expect(rooms.synced("a", 9, { head: 4, events: [], reset: true })).toMatchObject({ setBack: true });
    expect(rooms.isDoubted("a")).toBe(false);
    expect(state()).toMatchObject({ head: 4, read: 3, unread: 1, lastAt: 40 });
    rooms.receive("a", [
      {
        room_id: "a",
        sender_id: "ben",
        client_id: "d",
        seq: 5,
        id: "6",
        at: 96,
        type: "message.created",
        data: { text: "x" },
      },
    ]);
    expect(state()).toMatchObject({ head: 5, unread: 2 });
  });

  test("is believed as well where a room has grown past what the device knows: nothing was read of what is told since", () => {
    expect(rooms.ready([at(12, 3), summary("b", 0)], "another epoch")).toEqual({
      gone: [],
      setBack: ["a", "b"],
      doubted: [],
    });
    expect(state()).toMatchObject({ head: 12, read: 3, unread: 9, lastAt: 120 });
    expect(rooms.ready([at(12, 3), summary("b", 0)], "another epoch").setBack).toEqual([]);
  });

  test("is not to be mistaken for one that lags: its log is asked, and until it has said so everything stays", () => {
    rooms.mark("a", 6);
    const said = at(8, 7);
    expect(rooms.ready([said, summary("b", 0)], "epoch")).toEqual({ gone: [], setBack: [], doubted: [said] });
    expect(rooms.isDoubted("a")).toBe(true);
    const before = { head: 9, read: 5, unread: 4 };
    expect(state()).toMatchObject(before);
    expect(rooms.synced("a", 9, { head: 9, events: [], reset: false })).toEqual({ summary: said, setBack: false });
    expect(rooms.isDoubted("a")).toBe(false);
    expect(state()).toMatchObject(before);
    expect(rooms.get("a")?.counts.markedFrom).toBe(6);
  });

  test("was not where the log holds more than can be told at once", () => {
    rooms.ready([at(8, 7), summary("b", 0)], "epoch");
    rooms.synced("a", 9, { head: 900, events: [], reset: true });
    expect(state()).toMatchObject({ head: 900, read: 7 });
  });
});

describe("when a room was last active", () => {
  test("the server says on a device that has never seen it", () => {
    rooms.ready([summary("a", 700)], "epoch");
    expect(lastAt("a")).toBe(700);
  });

  test("is what the device kept while there is no server, and the later of both with one", () => {
    rooms.ready([summary("a", 700), summary("b", 900)], "epoch");
    const kept = rooms.list();
    rooms = roomsIn(stores);
    rooms.restore(kept);
    expect([lastAt("a"), lastAt("b")]).toEqual([700, 900]);
    rooms.ready([summary("a", 1_000), summary("b", 800)], "epoch");
    expect([lastAt("a"), lastAt("b")]).toEqual([1_000, 900]);
  });

  test("moves with every event, and never back", () => {
    rooms.ready([summary("a", 700)], "epoch");
    const base = { room_id: "a", sender_id: "ben", client_id: "c" };
    const events: RoomEvent[] = [
      { ...base, seq: 3, id: "3", at: 900, type: "reaction.added", data: { message_id: "1", emoji: "x" } },
      { ...base, seq: 2, id: "2", at: 800, type: "message.created", data: { text: "hello" } },
    ];
    rooms.receive("a", events);
    expect(lastAt("a")).toBe(900);
  });
});
