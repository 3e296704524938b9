import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Rooms } from "./rooms";
import type { RoomEvent, RoomSummary } from "./schema.gen";
import { clear, createStores } from "./stores";

const stores = createStores();
let rooms: Rooms;
beforeEach(() => {
  rooms = new Rooms({ me: "ann", stores, draftOf: () => undefined, changed: () => undefined, quiet: () => undefined });
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

describe("when a room was last active", () => {
  test("the server says on a device that has never seen it", () => {
    rooms.ready([summary("a", 700)]);
    expect(lastAt("a")).toBe(700);
  });

  test("is what the device kept while there is no server, and the later of both with one", () => {
    rooms.ready([summary("a", 700), summary("b", 900)]);
    const kept = rooms.list();
    rooms = new Rooms({
      me: "ann",
      stores,
      draftOf: () => undefined,
      changed: () => undefined,
      quiet: () => undefined,
    });
    rooms.restore(kept);
    expect([lastAt("a"), lastAt("b")]).toEqual([700, 900]);
    rooms.ready([summary("a", 1_000), summary("b", 800)]);
    expect([lastAt("a"), lastAt("b")]).toEqual([1_000, 900]);
  });

  test("moves with every event, and never back", () => {
    rooms.ready([summary("a", 700)]);
    const base = { room_id: "a", sender_id: "ben", client_id: "c" };
    const events: RoomEvent[] = [
      { ...base, seq: 3, id: "3", at: 900, type: "reaction.added", data: { message_id: "1", emoji: "x" } },
      { ...base, seq: 2, id: "2", at: 800, type: "message.created", data: { text: "hello" } },
    ];
    rooms.receive("a", events);
    expect(lastAt("a")).toBe(900);
  });
});
