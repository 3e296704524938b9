import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError } from "@/lib/http";
import { Drafts } from "./drafts";
import type { Http } from "./environment";
import type { Draft } from "./schema.gen";
import { MemoryStore } from "./storage/memory";

/** The server's drafts, and a device that can be offline. */
function world() {
  const state = { online: true, member: true, drafts: [] as Draft[] };
  const store = new MemoryStore();
  const put = vi.fn((path: string, body: { text: string; at: number }) => {
    const room_id = path.split("/")[3] ?? "";
    state.drafts = [...state.drafts.filter((each) => each.room_id !== room_id), { room_id, ...body }];
    return Promise.resolve(body);
  });
  const http = { put, get: () => Promise.resolve({ drafts: state.drafts.filter((each) => each.text !== "") }) };
  const written = vi.fn();
  const noted = {
    drafts: null as unknown,
    read: () => noted.drafts,
    write: (drafts: unknown) => (noted.drafts = drafts),
  };
  const open = () =>
    new Drafts({
      http: http as unknown as Http,
      store,
      noted,
      online: () => state.online,
      isMember: () => state.member,
      changed: () => undefined,
      written,
      now: () => Date.now(),
    });
  return { state, store, put, written, noted, open };
}

let it: ReturnType<typeof world>;
let drafts: Drafts;
beforeEach(() => {
  vi.useFakeTimers();
  it = world();
  drafts = it.open();
});
afterEach(() => {
  drafts.close();
  vi.useRealTimers();
});

describe("a draft", () => {
  test("is there at once, on the device soon, on the server when the user pauses", async () => {
    drafts.write("room", "h");
    drafts.write("room", "hi");
    expect(drafts.textOf("room")).toBe("hi");
    await vi.advanceTimersByTimeAsync(300);
    expect(await it.store.drafts()).toMatchObject([{ text: "hi", synced: false }]);
    expect(it.written).toHaveBeenCalledTimes(1);
    expect(it.put).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(it.put.mock.calls).toEqual([["/api/rooms/room/draft", { text: "hi", at: expect.any(Number) as number }]]);
    expect(await it.store.drafts()).toMatchObject([{ text: "hi", synced: true }]);
  });

  test("that was emptied is gone everywhere", async () => {
    drafts.write("room", "hi");
    await vi.advanceTimersByTimeAsync(2_000);
    drafts.write("room", "");
    expect(drafts.textOf("room")).toBeUndefined();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(it.state.drafts).toMatchObject([{ text: "" }]);
    expect(await it.store.drafts()).toEqual([]);
  });

  test("written without a network is sent when there is one", async () => {
    it.state.online = false;
    drafts.write("room", "hi");
    await vi.advanceTimersByTimeAsync(3_000);
    expect(it.put).not.toHaveBeenCalled();
    it.state.online = true;
    await drafts.ready();
    expect(it.state.drafts).toMatchObject([{ text: "hi" }]);
  });

  test("that the server does not take is kept", async () => {
    it.put.mockRejectedValueOnce(new ApiError("rate_limited", "", { status: 429 }));
    drafts.write("room", "hi");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(drafts.textOf("room")).toBe("hi");
    await drafts.ready();
    expect(it.state.drafts).toMatchObject([{ text: "hi" }]);
  });

  test("survives the page", async () => {
    drafts.write("room", "hi");
    await drafts.flush();
    const next = it.open();
    await next.restore();
    expect(next.textOf("room")).toBe("hi");
    next.close();
  });
});

describe("of a room that the user is out of", () => {
  test("is kept, though the server has it no more", async () => {
    drafts.write("room", "hi");
    await vi.advanceTimersByTimeAsync(2_000);
    it.state.member = false;
    it.state.drafts = [];
    await drafts.ready();
    expect(drafts.textOf("room")).toBe("hi");
    expect(await it.store.drafts()).toMatchObject([{ text: "hi" }]);
  });

  test("is sent once they are back", async () => {
    it.state.member = false;
    drafts.write("room", "hi");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(it.put).not.toHaveBeenCalled();
    it.state.member = true;
    await drafts.ready();
    expect(it.state.drafts).toMatchObject([{ text: "hi" }]);
  });
});

describe("of a page that is left before the device has it", () => {
  test("comes back with the next one, and only once", async () => {
    drafts.write("room", "hi");
    drafts.keep();
    const next = it.open();
    await next.restore();
    expect(next.textOf("room")).toBe("hi");
    expect(await it.store.drafts()).toMatchObject([{ text: "hi" }]);
    expect(it.noted.drafts).toEqual([]);
    next.close();
  });

  test("is forgotten where the page comes back and saves it", async () => {
    drafts.write("room", "hi");
    drafts.keep();
    expect(it.noted.drafts).toMatchObject([{ text: "hi" }]);
    await vi.advanceTimersByTimeAsync(300);
    expect(it.noted.drafts).toEqual([]);
  });

  test("does not take the place of a later one", async () => {
    await it.store.saveDraft({ roomId: "room", text: "later", at: Date.now() + 1, synced: false });
    it.noted.drafts = [{ roomId: "room", text: "before", at: Date.now(), synced: false }];
    await drafts.restore();
    expect(drafts.textOf("room")).toBe("later");
  });

  test("stands beside what other tabs have noted, and goes without it", async () => {
    const now = Date.now();
    const note = (roomId: string, at: number) => ({ roomId, text: "theirs", at, synced: false });
    it.noted.drafts = [note("room", now - 1), note("newer", now + 1), note("other", now)];
    drafts.write("room", "mine");
    drafts.write("newer", "mine");
    drafts.keep();
    expect(it.noted.drafts).toHaveLength(3);
    expect(it.noted.drafts).toEqual(
      expect.arrayContaining([
        { roomId: "room", text: "mine", at: now, synced: false },
        note("newer", now + 1),
        note("other", now),
      ]),
    );
    await vi.advanceTimersByTimeAsync(300);
    expect(it.noted.drafts).toEqual([note("newer", now + 1), note("other", now)]);
  });

  test("goes where another tab has written a later one, which is the one that is kept", () => {
    drafts.write("room", "mine");
    drafts.keep();
    drafts.take({ roomId: "room", text: "theirs", at: Date.now() + 1, synced: false });
    expect(it.noted.drafts).toEqual([]);
    drafts.keep();
    expect(it.noted.drafts).toEqual([]);
  });

  test("goes with what is written after it, which is emptied and does not let it come back", async () => {
    it.noted.drafts = [{ roomId: "room", text: "before", at: Date.now() - 1, synced: false }];
    drafts.write("room", "x");
    drafts.write("room", "");
    await vi.advanceTimersByTimeAsync(10);
    expect(it.noted.drafts).toEqual([]);
  });

  test("is not noted where the device has it", async () => {
    drafts.write("room", "hi");
    await drafts.flush();
    drafts.keep();
    expect(it.noted.drafts).toBeNull();
  });

  test.each([
    ["nothing of ours", { roomId: "room" }],
    ["a list of other things", [7, null, { roomId: 1, text: "x", at: 1 }]],
  ])("is nothing where there is %s", async (_, found) => {
    it.noted.drafts = found;
    await drafts.restore();
    expect(drafts.textOf("room")).toBeUndefined();
  });
});

describe("of two devices", () => {
  test("the later change wins", async () => {
    drafts.write("room", "mine");
    await vi.advanceTimersByTimeAsync(2_000);
    it.state.drafts = [{ room_id: "room", text: "theirs", at: Date.now() + 1 }];
    await drafts.ready();
    expect(drafts.textOf("room")).toBe("theirs");
    drafts.take({ roomId: "room", text: "long ago", at: 1, synced: true });
    expect(drafts.textOf("room")).toBe("theirs");
  });

  test("what one has sent or emptied, the other has no more", async () => {
    drafts.write("room", "mine");
    await vi.advanceTimersByTimeAsync(2_000);
    it.state.drafts = [];
    await drafts.ready();
    expect(drafts.textOf("room")).toBeUndefined();
    expect(await it.store.drafts()).toEqual([]);
  });
});
