import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError } from "@/lib/http";
import { Updates } from "./batch";
import type { Http } from "./environment";
import type { Entries } from "./outbox-rules";
import { apply, type RoomView } from "./reconcile";
import { isNotice } from "./room-window";
import type { RoomEvent, RoomSync } from "./schema.gen";
import { MemoryStore } from "./storage/memory";
import { KEPT_MESSAGES } from "./storage/store";
import { createStores } from "./stores";
import { ROOM, messagesOnly, pageOf } from "./testing/logs";
import { Timelines } from "./timelines";

/** A server with one room, and a device that looks at it. */
function world(log: RoomEvent[]) {
  const state = { online: true, head: log.length, said: Infinity, epoch: "epoch", entries: [] as Entries };
  const store = new MemoryStore();
  const stores = createStores();
  const synced: number[] = [];
  let clock = 0;
  const get = vi.fn((path: string, options?: { query?: Record<string, unknown> }): Promise<unknown> => {
    if (!state.online) return Promise.reject(new ApiError("network", ""));
    const all = log.slice(0, state.head).reduce<RoomView>(apply, { head: 0, messages: [] }).messages;
    const id = /messages\/(.+)$/.exec(path)?.[1];
    if (id !== undefined) {
      const found = all.find((each) => each.id === id);
      return found === undefined
        ? Promise.reject(new ApiError("message_not_found", "", { status: 404 }))
        : Promise.resolve(found);
    }
    const query = options?.query as { limit: number; before?: number; after?: number; around?: number };
    const { limit, before = Infinity, after, around } = query;
    const entries = [...all, ...log.slice(0, state.head).filter(isNotice)].sort((a, b) => a.seq - b.seq);
    let page = entries.filter((each) => each.seq < before).slice(-limit);
    if (after !== undefined) page = entries.filter((each) => each.seq > after).slice(0, limit);
    if (around !== undefined) page = entries.filter((each) => Math.abs(each.seq - around) <= limit / 2).slice(0, limit);
    return Promise.resolve(pageOf(page, state.head));
  });
  const timelines: Timelines = new Timelines({
    updates: new Updates(),
    me: "ann",
    http: { get } as unknown as Http,
    store,
    stores,
    entriesOf: () => state.entries,
    headOf: () => Math.min(state.head, state.said),
    epoch: () => state.epoch,
    sync: (roomId, from) => {
      synced.push(from);
      const reset = from > state.head || state.head - from > 500;
      const answer: RoomSync = { head: state.head, events: reset ? [] : log.slice(from, state.head), reset };
      if (state.online) queueMicrotask(() => timelines.caughtUp(roomId, from, answer));
    },
    shown: () => undefined,
    online: () => state.online,
    now: () => ++clock,
  });
  const published = () => stores.timelines.getState().get(ROOM);
  const shown = () => {
    timelines.flush();
    return published();
  };
  const sees = (from: number, upto: number) =>
    vi.waitFor(() => {
      const seqs = shown()?.messages.map((each) => each.seq);
      expect([seqs?.[0], seqs?.at(-1), seqs?.length]).toEqual([from, upto, upto - from + 1]);
    });
  return { state, store, timelines, published, shown, sees, get, synced };
}

let open: ReturnType<typeof world>;
const start = (log: RoomEvent[]) => (open = world(log));
afterEach(() => open.timelines.close());

describe("a room that is opened", () => {
  test("shows the latest page, and grows with what happens", async () => {
    const log = messagesOnly(101);
    const { timelines, state, sees, shown } = start(log);
    state.head = 100;
    timelines.open(ROOM);
    await sees(41, 100);
    state.head = 101;
    timelines.receive(ROOM, log.slice(100));
    await sees(41, 101);
    expect(shown()).toMatchObject({ status: "ready", hasOlder: true, hasNewer: false });
  });

  test("takes events that come before its page", async () => {
    const log = messagesOnly(12);
    const { timelines, state, sees } = start(log);
    state.head = 10;
    timelines.open(ROOM);
    timelines.receive(ROOM, log.slice(10));
    await sees(1, 12);
  });

  test("again shows what happened meanwhile from the first moment, and nothing of before", async () => {
    const log = messagesOnly(101);
    const { timelines, state, sees, published } = start(log);
    state.head = 100;
    const close = timelines.open(ROOM);
    await sees(41, 100);
    close();
    expect(published()).toBeUndefined();
    state.head = 101;
    timelines.receive(ROOM, log.slice(100));
    timelines.open(ROOM);
    expect(published()?.messages.at(-1)?.seq).toBe(101);
  });

  test("syncs what lies between its page and the next event", async () => {
    const log = messagesOnly(20);
    const { timelines, state, sees, synced } = start(log);
    state.head = 10;
    timelines.open(ROOM);
    await sees(1, 10);
    state.head = 20;
    timelines.receive(ROOM, log.slice(19));
    await sees(1, 20);
    expect(synced).toContain(10);
  });

  test("without a network shows what the device keeps, or says that it keeps nothing", async () => {
    const log = messagesOnly(30);
    const { timelines, state, store, shown, sees } = start(log);
    timelines.open(ROOM)();
    timelines.open(ROOM);
    await sees(1, 30);
    await timelines.save();
    expect((await store.window(ROOM))?.messages).toHaveLength(30);
    timelines.drop(ROOM);
    state.online = false;
    timelines.open(ROOM);
    await sees(1, 30);
    timelines.open("elsewhere");
    await vi.waitFor(() => {
      timelines.flush();
      expect(shown()?.status).toBe("ready");
    });
  });

  test("that cannot be loaded says so, and is loaded when the server is there again", async () => {
    const { timelines, state, shown, sees, get } = start(messagesOnly(5));
    get.mockRejectedValueOnce(new ApiError("internal", "", { status: 500 }));
    timelines.open(ROOM);
    await vi.waitFor(() => expect(shown()?.status).toBe("error"));
    timelines.ready();
    await sees(1, 5);
    timelines.drop(ROOM);
    state.online = false;
    timelines.open(ROOM);
    await vi.waitFor(() => expect(shown()?.status).toBe("offline-empty"));
    state.online = true;
    timelines.ready();
    await sees(1, 5);
  });

  test("far behind is shown anew, where the user was", async () => {
    const log = messagesOnly(1_500);
    const { timelines, state, sees, shown } = start(log);
    state.head = 300;
    timelines.open(ROOM);
    await sees(241, 300);
    await shown()?.jumpTo(100);
    state.head = 1_500;
    timelines.ready();
    await vi.waitFor(() => expect(shown()?.hasNewer).toBe(true));
    expect(shown()?.messages.some((each) => each.seq === 100)).toBe(true);
    await shown()?.jumpToLatest();
    await sees(1_441, 1_500);
    expect(shown()?.hasNewer).toBe(false);
  });
});

describe("a server that was set back to a backup", () => {
  /** What another server did after the backup: its own event 21, in place of those that are forgotten. */
  const other: RoomEvent = { ...messagesOnly(21)[20]!, id: "other", type: "message.created", data: { text: "other" } };
  const log = messagesOnly(30);

  function setBack() {
    log.splice(20, Infinity, other);
    open.state.head = 20;
    open.timelines.ready();
  }

  beforeEach(() => {
    log.splice(0, Infinity, ...messagesOnly(30));
    start(log);
  });

  test("has its rooms shown as they are there, and kept so on the device", async () => {
    const { timelines, state, store, sees, shown } = open;
    timelines.open(ROOM);
    await sees(1, 30);
    await timelines.save();
    setBack();
    await sees(1, 20);
    state.head = 21;
    timelines.receive(ROOM, [other]);
    await sees(1, 21);
    expect(shown()?.messages.at(-1)?.text).toBe("other");
    await timelines.save();
    expect((await store.window(ROOM))?.messages.map((each) => each.text).at(-1)).toBe("other");
  });

  test("takes what happens while its rooms are fetched anew", async () => {
    const { timelines, state, sees, shown } = open;
    timelines.open(ROOM);
    await sees(1, 30);
    setBack();
    state.head = 21;
    timelines.receive(ROOM, [other]);
    await sees(1, 21);
    expect(shown()?.messages.at(-1)?.text).toBe("other");
  });

  test("is noticed also where the room has grown past what is held, or as far", async () => {
    const { timelines, state, store, sees, shown } = open;
    timelines.open(ROOM);
    await sees(1, 30);
    await timelines.save();
    for (const [head, epoch] of [
      [40, "second"],
      [40, "third"],
    ] as const) {
      log.splice(
        20,
        Infinity,
        ...messagesOnly(head)
          .slice(20)
          .map((each) => ({ ...each, id: `${epoch}-${each.seq}` })),
      );
      Object.assign(state, { head, epoch });
      timelines.ready();
      await sees(1, head);
      expect(
        shown()
          ?.messages.map(({ id }) => id)
          .slice(19, 21),
      ).toEqual(["message-20", `${epoch}-21`]);
    }
    await timelines.save();
    expect((await store.window(ROOM))?.messages.at(-1)?.id).toBe("third-40");
  });

  test("has nothing left on the device of rooms that nobody looks at", async () => {
    const { timelines, store, sees } = open;
    const close = timelines.open(ROOM);
    await sees(1, 30);
    await timelines.save();
    close();
    setBack();
    await vi.waitFor(() => expect(timelines.heldUpTo(ROOM)).toBeUndefined());
    await timelines.save();
    expect(await store.window(ROOM)).toBeUndefined();
  });

  test("is noticed by what was kept, though the page has known no other server", async () => {
    const before = open;
    before.timelines.open(ROOM)();
    await vi.waitFor(() => expect(before.timelines.heldUpTo(ROOM)).toBe(30));
    await before.timelines.save();
    before.timelines.close();
    const kept = (await before.store.window(ROOM))!;
    start(log).state.epoch = "another";
    await open.store.saveWindow(ROOM, kept, 1);
    await open.timelines.warm(ROOM);
    expect(open.timelines.heldUpTo(ROOM)).toBeUndefined();
    expect(await open.store.window(ROOM)).toBeUndefined();
    // Without a network it is shown, until the server says that it tells another history.
    await open.store.saveWindow(ROOM, kept, 1);
    Object.assign(open.state, { online: false, head: 35 });
    await open.timelines.warm(ROOM);
    expect(open.timelines.heldUpTo(ROOM)).toBe(30);
    open.state.online = true;
    open.timelines.ready();
    expect(open.timelines.heldUpTo(ROOM)).toBeUndefined();
  });

  test("is believed rather than what another tab has kept", async () => {
    const { timelines, store, sees } = open;
    timelines.open(ROOM)();
    await vi.waitFor(() => expect(timelines.heldUpTo(ROOM)).toBe(30));
    await timelines.save();
    const stale = (await store.window(ROOM))!;
    setBack();
    await store.saveWindow(ROOM, stale, 99);
    timelines.open(ROOM);
    await sees(1, 20);
    await timelines.save();
    expect((await store.window(ROOM))?.head).toBe(20);
  });
});

describe("a server that says less than it has told, since it lags by a moment", () => {
  beforeEach(async () => {
    start(messagesOnly(30));
    open.timelines.open(ROOM);
    await open.sees(1, 30);
    open.state.said = 20;
  });

  test("is asked for what comes after what is held, which stays", () => {
    const { timelines, get, synced } = open;
    get.mockClear();
    timelines.ready();
    expect(synced).toEqual([30]);
    expect(timelines.heldUpTo(ROOM)).toBe(30);
    expect(get).not.toHaveBeenCalled();
  });

  test("is asked as well where another tab has kept more", async () => {
    const { timelines, store, synced, sees } = open;
    await timelines.save();
    timelines.drop(ROOM);
    timelines.open(ROOM);
    await sees(1, 30);
    expect(synced).toEqual([30]);
    expect((await store.window(ROOM))?.head).toBe(30);
  });
});

describe("history", () => {
  beforeEach(async () => {
    start(messagesOnly(500)).timelines.open(ROOM);
    await open.sees(441, 500);
  });

  test("loads above, one request for all who ask at once", async () => {
    const requests = open.get.mock.calls.length;
    await Promise.all([open.shown()?.loadOlder(), open.shown()?.loadOlder()]);
    await open.sees(341, 500);
    expect(open.get.mock.calls.length).toBe(requests + 1);
    for (let page = 0; page < 5; page++) await open.shown()?.loadOlder();
    await open.sees(1, 500);
    expect(open.shown()?.hasOlder).toBe(false);
  });

  test("is jumped into by seq and by id, and read on from there", async () => {
    expect(await open.shown()?.jumpTo("message-200")).toBe(200);
    await open.sees(150, 249);
    await open.shown()?.loadNewer();
    await open.sees(150, 349);
    expect(await open.shown()?.jumpTo("nothing")).toBeUndefined();
    const requests = open.get.mock.calls.length;
    expect(await open.shown()?.jumpTo("message-210")).toBe(210);
    expect(open.get.mock.calls.length).toBe(requests);
  });

  test("fails to load with the error, and loads the next time", async () => {
    open.get.mockRejectedValueOnce(new ApiError("network", ""));
    await expect(open.shown()?.loadOlder()).rejects.toThrow(ApiError);
    await open.shown()?.loadOlder();
    await open.sees(341, 500);
  });
});

describe("between messages", () => {
  const log = messagesOnly(9).map((event): RoomEvent =>
    event.seq % 3 === 0 ? { ...event, type: "member.joined", data: { user_id: "ben", role: "member" } } : event,
  );

  test("stands what else happened, also from before the room was opened", async () => {
    const { timelines, shown } = start(log);
    timelines.open(ROOM);
    await vi.waitFor(() =>
      expect(shown()?.items.map((each) => (each.type === "notice" ? `notice ${each.seq}` : each.seq))).toEqual([
        1,
        2,
        "notice 3",
        4,
        5,
        "notice 6",
        7,
        8,
        "notice 9",
      ]),
    );
  });

  test("stands what else happened far back in history", async () => {
    const long = Array.from({ length: 60 }, (_, block) => log.map((each) => ({ ...each, seq: each.seq + 9 * block })))
      .flat()
      .map((each) => ({ ...each, id: `event-${each.seq}`, client_id: `client-${each.seq}` }));
    const { timelines, shown } = start(long);
    timelines.open(ROOM);
    await vi.waitFor(() => expect(shown()?.items).toHaveLength(60));
    while (shown()?.hasOlder) await shown()?.loadOlder();
    expect(shown()?.items.map((each) => each.seq)).toEqual(long.map((each) => each.seq));
  });

  test("what is on its way comes after everything", async () => {
    const { timelines, shown, state } = start(log);
    const command = { kind: "message.send", text: "new" } as const;
    state.entries = [{ order: 1, clientId: "n", roomId: ROOM, at: 0, command, attempts: 0, state: "waiting" }];
    timelines.open(ROOM);
    await vi.waitFor(() => expect(shown()?.items).toHaveLength(10));
    expect(shown()?.items.at(-1)).toMatchObject({ type: "message", text: "new", state: "pending" });
  });
});

test("of a room that nobody looks at no more is held than the device keeps, and what was before is fetched again", async () => {
  const { state, timelines, sees, shown } = start(messagesOnly(401));
  state.head = 400;
  const close = timelines.open(ROOM);
  await sees(341, 400);
  for (let page = 0; page < 4; page++) await shown()?.loadOlder();
  await sees(1, 400);
  close();
  state.head = 401;
  timelines.receive(ROOM, messagesOnly(401).slice(-1));
  timelines.open(ROOM);
  await sees(402 - KEPT_MESSAGES, 401);
  await shown()?.loadOlder();
  await sees(302 - KEPT_MESSAGES, 401);
});

test("a room that nobody looks at any more is forgotten once it is saved and enough others were looked at", async () => {
  const { timelines, store } = start(messagesOnly(5));
  for (let room = 0; room < 12; room++) {
    const close = timelines.open(`room ${room}`);
    await vi.waitFor(() => expect(timelines.heldUpTo(`room ${room}`)).toBe(5));
    await timelines.save();
    close();
  }
  expect(timelines.heldUpTo("room 0")).toBeUndefined();
  expect(timelines.heldUpTo("room 11")).toBe(5);
  expect(await store.window("room 0")).toBeDefined();
});
