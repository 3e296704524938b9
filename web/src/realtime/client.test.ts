// @vitest-environment node
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Client } from "./client";
import { initialLink } from "./connection";
import type { Http } from "./environment";
import { fromSummary } from "./room-counts";
import type { ReadyState, RoomSync } from "./schema.gen";
import type { LinkOptions } from "./socket";
import { MemoryStore } from "./storage/memory";
import { createStores, type Stores } from "./stores";
import { roomSummary } from "./testing/rooms";
import type { TabChannel } from "./tabs";
import type { Tokens } from "./tokens";

/** The network, for the client that was made last: what the socket tells is told by the test. */
const network = vi.hoisted(() => ({
  link: undefined as LinkOptions | undefined,
  online: false,
  leave: (): void => undefined,
  request: vi.fn((name: string): Promise<unknown> => Promise.reject(new Error(`nobody answers ${name}`))),
}));

/** In place of a page that can be left. */
vi.mock("./activity", () => ({
  Activity: class {
    constructor({ leaving }: { leaving: () => void }) {
      network.leave = leaving;
    }
    readonly start = () => undefined;
    readonly stop = () => undefined;
    readonly tell = () => undefined;
  },
}));
vi.mock("./socket", async (original) => ({
  ...(await original<object>()),
  Link: class {
    constructor(options: LinkOptions) {
      network.link = options;
    }
    get online() {
      return network.online;
    }
    readonly input = () => undefined;
    readonly close = () => undefined;
    readonly volatile = () => undefined;
    readonly request = network.request;
  },
}));

const SUMMARY = roomSummary({ name: "garden", head: 3, read: 3 });

const READY: ReadyState = {
  user: { id: "ann", username: "ann", display_name: "Ann", role: "member", disabled: false },
  session_id: "session",
  server_time: 0,
  epoch: "epoch",
  rooms: [SUMMARY],
};

let store: MemoryStore;
let stores: Stores;
let client: Client;
/** Whether `start` has resolved. */
let shown: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  network.online = false;
  network.request.mockReset();
  store = new MemoryStore();
  stores = createStores();
});

afterEach(() => {
  client.close();
  vi.useRealTimers();
});

async function start(): Promise<void> {
  shown = false;
  const http = { get: () => Promise.reject(new Error("nobody answers")) } as unknown as Http;
  client = new Client({
    userId: "ann",
    environment: { origin: "", http, locks: undefined, pollingOnly: true },
    stores,
    store,
    tokens: {} as unknown as Tokens,
    channel: { tell: () => undefined } as unknown as TabChannel,
    named: () => undefined,
    ended: () => undefined,
    refused: () => undefined,
  });
  void client.start().then(() => (shown = true));
  await vi.advanceTimersByTimeAsync(0);
}

describe("a page that opens", () => {
  test("shows at once what the device keeps", async () => {
    const { id, name, kind, topic, role } = SUMMARY;
    await store.saveRooms([{ id, name, kind, topic, role, level: "all", counts: fromSummary(SUMMARY), lastAt: 0 }]);
    await start();
    expect(shown).toBe(true);
    expect(client.rooms.list().map((room) => room.name)).toEqual(["garden"]);
  });

  test("waits for the server where the device keeps nothing, and no longer than until it has said what there is", async () => {
    await start();
    await vi.advanceTimersByTimeAsync(500);
    expect(shown).toBe(false);
    network.online = true;
    network.link?.onEvent({ name: "ready", payload: READY });
    await vi.advanceTimersByTimeAsync(50);
    expect(shown).toBe(true);
    expect(client.rooms.list().map((room) => room.name)).toEqual(["garden"]);
  });

  test("does not wait for a server that cannot be reached", async () => {
    await start();
    network.link?.onState({ ...initialLink, failures: 1 }, 500);
    await vi.advanceTimersByTimeAsync(50);
    expect(shown).toBe(true);
  });

  test("shows that it has nothing yet when the server is slow", async () => {
    await start();
    await vi.advanceTimersByTimeAsync(950);
    expect(shown).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    expect(shown).toBe(true);
  });
});

describe("a device that keeps nothing", () => {
  test("is known as such, whatever the connection does", async () => {
    await start();
    network.link?.onState({ ...initialLink, status: "online" }, undefined);
    expect(stores.connection.getState()).toMatchObject({ status: "online", durable: false });
  });

  test("is known as soon as it stops keeping", async () => {
    const keeps = Object.assign(store, { durable: true });
    await start();
    network.link?.onState({ ...initialLink, status: "online" }, undefined);
    expect(stores.connection.getState()).toEqual({ status: "online" });
    keeps.durable = false;
    await client.command("room", { kind: "message.send", text: "x" });
    expect(stores.connection.getState()).toEqual({ status: "online", durable: false });
  });
});

describe("a room that is gone when the server is there again", () => {
  const texts = ["one", "two", "three"];
  const unsent = () => stores.outbox.getState().unsent.get("room");

  beforeEach(async () => {
    await store.saveRooms([
      { ...SUMMARY, peer: undefined as never, level: "all", counts: fromSummary(SUMMARY), lastAt: 0 },
    ]);
    await start();
    for (const text of texts) await client.command("room", { kind: "message.send", text });
    await client.command("room", { kind: "message.pin", target: { id: "m1" } });
    client.drafts.write("room", "not done");
    await vi.advanceTimersByTimeAsync(300);
    network.online = true;
    network.link?.onEvent({ name: "ready", payload: { ...READY, rooms: [] } });
    await vi.advanceTimersByTimeAsync(50);
  });

  test("leaves what was written there, to be seen to by the user", async () => {
    expect(unsent()).toMatchObject(texts.map((text) => ({ text, failed: true })));
    expect((await store.outbox.all()).map((each) => [each.state, each.error?.code])).toEqual(
      texts.map(() => ["failed", "room_not_found"]),
    );
    expect(client.drafts.textOf("room")).toBe("not done");
    expect(await store.drafts()).toMatchObject([{ text: "not done" }]);
  });

  test("has it as failed, to be done something about, when they are back", async () => {
    network.link?.onEvent({ name: "room.added", payload: { room: SUMMARY } });
    await vi.advanceTimersByTimeAsync(50);
    expect(client.outbox.entries("room").map((each) => each.state)).toEqual(["failed", "failed", "failed"]);
    await client.outbox.discard(client.outbox.entries("room")[0]!.clientId);
    expect(unsent()).toMatchObject([{ text: "two" }, { text: "three" }]);
  });

  test("tells the next page what it left", async () => {
    client.close();
    network.online = false;
    await start();
    expect(unsent()).toHaveLength(3);
  });

  test("takes what only the outbox remembers of it for failed, too", async () => {
    await client.command("elsewhere", { kind: "message.send", text: "x" });
    network.link?.onEvent({ name: "ready", payload: { ...READY, rooms: [] } });
    await vi.advanceTimersByTimeAsync(50);
    expect(stores.outbox.getState().unsent.get("elsewhere")).toMatchObject([{ text: "x", failed: true }]);
  });
});

describe("a room that somebody looks at", () => {
  function say(seq: number): void {
    const message = { id: `m${seq}`, room_id: "room", seq, sender_id: "ben", client_id: `c${seq}`, at: 0 };
    network.link?.onEvent({ name: "event", payload: { ...message, type: "message.created", data: { text: "hello" } } });
  }

  /** What the server was told of how far one has read. */
  const told = () =>
    network.request.mock.calls.filter(([name]: unknown[]) => name === "read").map((call: unknown[]) => call[1]);

  beforeEach(async () => {
    await start();
    network.online = true;
    network.link?.onEvent({ name: "ready", payload: READY });
    network.request.mockClear();
  });

  test("is read on as events come, which the server hears of once", async () => {
    client.reading.attend("room");
    say(4);
    say(5);
    expect(client.rooms.get("room")?.counts).toMatchObject({ read: 5 });
    await vi.advanceTimersByTimeAsync(150);
    expect(told()).toEqual([{ room_id: "room", seq: 5, was: 3 }]);
  });

  test("has been read when the page is left at once", () => {
    client.reading.attend("room");
    say(4);
    network.leave();
    expect(told()).toEqual([{ room_id: "room", seq: 4, was: 3 }]);
  });

  test("is told as read no more once one is no member", async () => {
    client.reading.attend("room");
    say(4);
    network.link?.onEvent({ name: "room.removed", payload: { room_id: "room" } });
    await vi.advanceTimersByTimeAsync(150);
    expect(told()).toEqual([]);
  });

  test("is caught up on when the user, known as a member, is told to be in it again", () => {
    const caughtUp = vi.spyOn(client.timelines, "ready");
    network.link?.onEvent({ name: "room.added", payload: { room: { ...SUMMARY, id: "new" } } });
    expect(caughtUp).not.toHaveBeenCalled();
    network.link?.onEvent({ name: "room.added", payload: { room: { ...SUMMARY, head: 6 } } });
    expect(client.rooms.head("room")).toBe(6);
    expect(caughtUp).toHaveBeenCalledOnce();
  });

  test("is told as read once there is a connection again", async () => {
    network.online = false;
    say(4);
    client.reading.markRead("room", 4);
    await vi.advanceTimersByTimeAsync(150);
    network.request.mockClear();
    network.online = true;
    network.link?.onEvent({ name: "ready", payload: { ...READY, rooms: [{ ...SUMMARY, head: 4 }] } });
    expect(told()).toEqual([{ room_id: "room", seq: 4, was: 3 }]);
  });

  test("is asked of the server's log where the server says less than is known, and is read on from there", async () => {
    say(4);
    client.reading.markRead("room", 4);
    const synced = () => network.request.mock.calls.filter(([name]: unknown[]) => name === "sync");
    network.request.mockClear();
    const answer = (sync: RoomSync) =>
      network.request.mockImplementation((name) =>
        Promise.resolve(name === "sync" ? { rooms: { room: sync } } : { read: 4 }),
      );
    answer({ head: 4, events: [], reset: false });
    network.link?.onEvent({ name: "ready", payload: READY });
    expect(told()).toEqual([]);
    await vi.advanceTimersByTimeAsync(50);
    expect(synced()).toEqual([["sync", { rooms: { room: 4 } }]]);
    expect(client.rooms.get("room")?.counts).toMatchObject({ head: 4, read: 4 });
    expect(told()).toEqual([{ room_id: "room", seq: 4, was: 3 }]);
    answer({ head: 2, events: [], reset: true });
    network.link?.onEvent({ name: "ready", payload: { ...READY, rooms: [{ ...SUMMARY, head: 2, read: 1 }] } });
    await vi.advanceTimersByTimeAsync(50);
    expect(client.rooms.get("room")?.counts).toMatchObject({ head: 2, read: 1 });
  });

  test("is told as read no more after the end", async () => {
    client.reading.attend("room");
    say(4);
    client.close();
    await vi.advanceTimersByTimeAsync(150);
    expect(told()).toEqual([]);
  });
});
