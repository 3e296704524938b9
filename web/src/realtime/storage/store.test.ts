import Dexie from "dexie";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { attempted, added, type OutboxEntry } from "../outbox-rules";
import type { SavedWindow } from "../room-window";
import type { Profile, User } from "../schema.gen";
import { databaseName, deleteStore, openStore } from "./dexie";
import { MemoryStore } from "./memory";
import { MAX_PROFILES, MAX_WINDOWS, type LocalStore, type RoomRecord } from "./store";

const user: User = {
  id: "ann",
  username: "ann",
  display_name: "Ann",
  email: "ann@example.org",
  role: "member",
  created_at: 0,
  updated_at: 0,
  disabled: false,
};

const kept = (head: number): SavedWindow => ({ head, messages: [], notices: [], from: 1, complete: false });
const profile = (id: string): Profile => ({ id, username: id, display_name: id, role: "member", disabled: false });

function room(id: string): RoomRecord {
  const counts = { head: 1, read: 1, known: 1, quiet: [], mentions: 0, counted: 1, mentioned: [] };
  return { id, name: id, kind: "public", topic: "", role: "member", level: "all", counts, lastAt: 0 };
}

function entry(clientId: string, roomId = "room"): OutboxEntry {
  const command = { kind: "message.send", text: clientId } as const;
  return { order: 0, clientId, roomId, at: 0, command, attempts: 0, state: "waiting" };
}

beforeEach(() => {
  // Each test has a browser of its own.
  Dexie.dependencies.indexedDB = new IDBFactory();
});

describe.each([
  ["IndexedDB", () => openStore("ann")],
  ["memory", () => Promise.resolve<LocalStore>(new MemoryStore())],
])("the store in %s", (name, open) => {
  let store: LocalStore;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(() => store.close());

  test("says whether it survives the page", () => {
    expect(store.durable).toBe(name === "IndexedDB");
  });

  test("keeps the session, and rooms as a whole", async () => {
    await store.saveSession({ user, sessionId: "s" });
    expect(await store.session()).toMatchObject({ user, sessionId: "s" });
    await store.saveRooms([room("a"), room("b")]);
    await store.saveRooms([room("b"), room("c")]);
    expect((await store.rooms()).map((each) => each.id).sort()).toEqual(["b", "c"]);
  });

  test("keeps the later of two windows of a room", async () => {
    await store.saveWindow("room", kept(9), 1);
    await store.saveWindow("room", kept(5), 2);
    expect((await store.window("room"))?.head).toBe(9);
  });

  test("keeps the windows of the rooms used last", async () => {
    for (let at = 1; at <= MAX_WINDOWS + 3; at++) await store.saveWindow(`room ${at}`, kept(1), at);
    const ids = await store.windowIds();
    expect(ids).toHaveLength(MAX_WINDOWS);
    expect(ids[0]).toBe(`room ${MAX_WINDOWS + 3}`);
    expect(await store.window("room 1")).toBeUndefined();
  });

  test("keeps as many profiles as it may, the latest", async () => {
    await store.saveProfiles(
      Array.from({ length: MAX_PROFILES }, (_, index) => profile(`old ${index}`)),
      1,
    );
    await store.saveProfiles([profile("new")], 2);
    const profiles = await store.profiles();
    expect(profiles).toHaveLength(MAX_PROFILES);
    expect(profiles.some((each) => each.id === "new")).toBe(true);
  });

  test("keeps the later of two drafts, and drops an empty one that the server has", async () => {
    await store.saveDraft({ roomId: "room", text: "later", at: 2, synced: false });
    await store.saveDraft({ roomId: "room", text: "earlier", at: 1, synced: true });
    expect(await store.drafts()).toMatchObject([{ text: "later" }]);
    await store.saveDraft({ roomId: "room", text: "", at: 3, synced: false });
    expect(await store.drafts()).toMatchObject([{ text: "" }]);
    await store.saveDraft({ roomId: "room", text: "", at: 3, synced: true });
    expect(await store.drafts()).toEqual([]);
  });

  test("keeps a window of another history in the place of a later one", async () => {
    await store.saveWindow("room", { ...kept(9), epoch: "before" }, 1);
    await store.saveWindow("room", { ...kept(5), epoch: "restored" }, 2);
    await store.saveWindow("room", { ...kept(4), epoch: "restored" }, 3);
    expect(await store.window("room")).toMatchObject({ head: 5, epoch: "restored" });
  });

  test("keeps an earlier window once the later one was dropped, and the draft", async () => {
    await store.saveDraft({ roomId: "room", text: "x", at: 1, synced: false });
    await store.saveWindow("room", kept(9), 1);
    await Promise.all([store.dropWindow("room"), store.saveWindow("room", kept(5), 2)]);
    expect((await store.window("room"))?.head).toBe(5);
    expect(await store.drafts()).toHaveLength(1);
  });

  test("gives the entries of the outbox their order, over all rooms", async () => {
    const first = await store.outbox.update("a", (entries) => added(entries, entry("1", "a")));
    await store.outbox.update("b", (entries) => added(entries, entry("2", "b")));
    await store.outbox.update("a", (entries) => added(entries, entry("3", "a")));
    expect(first[0]!.order).toBeGreaterThan(0);
    expect((await store.outbox.all()).map((each) => each.clientId)).toEqual(["1", "2", "3"]);
    const changed = await store.outbox.update("a", (entries) => attempted(entries, "3"));
    expect(changed.map((each) => [each.clientId, each.attempts])).toEqual([
      ["1", 0],
      ["3", 1],
    ]);
    await store.outbox.update("a", (entries) => entries.filter((each) => each.clientId !== "1"));
    expect((await store.outbox.all()).map((each) => each.clientId)).toEqual(["2", "3"]);
  });

  test("updates of a room come one after the other", async () => {
    const add = (id: string) => store.outbox.update("room", (entries) => added(entries, entry(id)));
    await Promise.all(["1", "2", "3", "4", "5"].map(add));
    expect((await store.outbox.all()).map((each) => each.clientId)).toEqual(["1", "2", "3", "4", "5"]);
  });
});

describe("in IndexedDB", () => {
  test("everything is there again for the next page, and for the same account only", async () => {
    const store = await openStore("ann");
    await store.outbox.update("room", (entries) => added(entries, entry("1")));
    await store.saveWindow("room", kept(9), 1);
    store.close();
    const again = await openStore("ann");
    expect(await again.outbox.all()).toMatchObject([{ clientId: "1", order: 1 }]);
    expect((await again.window("room"))?.head).toBe(9);
    const other = await openStore("ben");
    expect(await other.outbox.all()).toEqual([]);
    again.close();
    other.close();
  });

  test("signing out leaves nothing", async () => {
    const store = await openStore("ann");
    await store.outbox.update("room", (entries) => added(entries, entry("1")));
    await store.wipe(false);
    expect(await Dexie.exists(databaseName("ann"))).toBe(false);
  });

  test("a session that ran out leaves what was not sent yet", async () => {
    const store = await openStore("ann");
    await store.outbox.update("room", (entries) => added(entries, entry("1")));
    await store.saveDraft({ roomId: "room", text: "x", at: 1, synced: false });
    await store.saveSession({ user, sessionId: "s" });
    await store.saveWindow("room", kept(9), 1);
    await store.wipe(true);
    const again = await openStore("ann");
    expect(await again.session()).toBeUndefined();
    expect(await again.windowIds()).toEqual([]);
    expect(await again.outbox.all()).toHaveLength(1);
    expect(await again.drafts()).toHaveLength(1);
    again.close();
    await deleteStore("ann");
    expect(await Dexie.exists(databaseName("ann"))).toBe(false);
  });

  test("what is refused once is tried again", async () => {
    const first = await openStore("ann");
    await first.outbox.update("room", (entries) => added(entries, entry("1")));
    first.close();
    const refuse = () => {
      throw new DOMException("not now", "AbortError");
    };
    vi.spyOn(IDBFactory.prototype, "open").mockImplementationOnce(refuse);
    const store = await openStore("ann");
    expect(store.durable).toBe(true);
    const read = vi.spyOn(IDBObjectStore.prototype, "getAll").mockImplementationOnce(refuse);
    expect(await store.outbox.all()).toMatchObject([{ clientId: "1" }]);
    expect(store.durable).toBe(true);
    expect(read.mock.calls.length).toBeGreaterThan(1);
    vi.restoreAllMocks();
    store.close();
  });

  test("what is refused again and again is no longer promised", async () => {
    const store = await openStore("ann");
    const refused = vi.spyOn(IDBObjectStore.prototype, "getAll").mockImplementation(() => {
      throw new DOMException("not now", "UnknownError");
    });
    expect(await store.outbox.all()).toEqual([]);
    expect(store.durable).toBe(false);
    refused.mockRestore();
    store.close();
  });

  test("where the browser has none, memory serves", async () => {
    Dexie.dependencies.indexedDB = undefined as never;
    expect((await openStore("ann")).durable).toBe(false);
  });

  test("a full disk drops old windows, and the outbox goes on in memory if that does not help", async () => {
    const store = await openStore("ann");
    await store.outbox.update("room", (entries) => added(entries, entry("1")));
    for (let at = 1; at <= 8; at++) await store.saveWindow(`room ${at}`, kept(1), at);
    const full = vi.spyOn(IDBObjectStore.prototype, "add").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    const after = await store.outbox.update("room", (entries) => added(entries, entry("2")));
    expect(after.map((each) => each.clientId)).toEqual(["1", "2"]);
    expect(store.durable).toBe(false);
    expect(await store.windowIds()).toEqual(["room 8", "room 7", "room 6", "room 5", "room 4"]);
    full.mockRestore();
    store.close();
  });
});
