import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fromSummary } from "./room-counts";
import type { RoomSync } from "./schema.gen";
import { CommandRefused, NoAnswer } from "./socket";
import type { RoomRecord } from "./storage/store";
import { Syncing } from "./syncing";

function room(id: string, head: number, read: number): RoomRecord {
  const shape = { id, name: id, kind: "public", topic: "", role: "member" } as const;
  const times = { created_at: 0, joined_at: 0, last_at: 0 };
  const counts = fromSummary({ ...shape, ...times, notify: "all", head, read, unread: head - read, mentions: 0 });
  return { ...shape, level: "all", counts, lastAt: 0 };
}

function world() {
  const ask = vi.fn((rooms: Record<string, number>): Promise<Record<string, RoomSync>> => {
    const ids = Object.keys(rooms);
    return Promise.resolve(Object.fromEntries(ids.map((id) => [id, { head: 9, events: [], reset: false }])));
  });
  const answered = vi.fn();
  return { ask, answered, syncing: new Syncing({ ask, answered }) };
}

let it: ReturnType<typeof world>;
beforeEach(() => {
  vi.useFakeTimers();
  it = world();
});
afterEach(() => {
  it.syncing.close();
  vi.useRealTimers();
});

describe("what is missed", () => {
  test("is asked for together, from the lowest seq that is needed", async () => {
    it.syncing.want("a", 7);
    it.syncing.want("a", 5);
    it.syncing.want("b", 1);
    await vi.advanceTimersByTimeAsync(100);
    expect(it.ask.mock.calls).toEqual([[{ a: 5, b: 1 }]]);
    expect(it.answered.mock.calls.map(([id, asked]) => [id, asked] as unknown)).toEqual([
      ["a", 5],
      ["b", 1],
    ]);
  });

  test("is asked for once more when the server says later, or nothing", async () => {
    it.ask.mockRejectedValueOnce(new CommandRefused({ code: "rate_limited", message: "", retry_after: 5 }));
    it.ask.mockRejectedValueOnce(new NoAnswer());
    it.syncing.want("a", 5);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(it.ask).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(4_200);
    expect(it.ask).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(1_200);
    expect(it.answered).toHaveBeenCalledTimes(1);
  });

  test("of many rooms is asked for in several calls", async () => {
    for (let index = 0; index < 150; index++) it.syncing.want(`room ${index}`, 1);
    await vi.advanceTimersByTimeAsync(200);
    expect(it.ask.mock.calls.map(([rooms]) => Object.keys(rooms).length)).toEqual([100, 50]);
  });

  test("is forgotten with the connection, and so is an answer of before", async () => {
    let answer: (rooms: Record<string, RoomSync>) => void = () => undefined;
    it.ask.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    it.syncing.want("a", 5);
    await vi.advanceTimersByTimeAsync(100);
    it.syncing.stop();
    answer({ a: { head: 9, events: [], reset: false } });
    await vi.advanceTimersByTimeAsync(100);
    expect(it.answered).not.toHaveBeenCalled();
    it.syncing.want("a", 5);
    await vi.advanceTimersByTimeAsync(100);
    expect(it.ask).toHaveBeenCalledTimes(2);
  });
});

test("after connecting, unread rooms of which nothing is held are looked into, if the gap is short", async () => {
  const records = [room("read", 9, 9), room("unread", 9, 5), room("held", 9, 5), room("far behind", 900, 5)];
  it.syncing.ready(records, (id) => (id === "held" ? 9 : undefined));
  await vi.advanceTimersByTimeAsync(100);
  expect(it.ask.mock.calls).toEqual([[{ unread: 5 }]]);
});
