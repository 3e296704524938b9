/** Two tabs of one browser look at one room and keep it on one device: each at its own pace, each cut off, closed and opened anew. */

import Dexie from "dexie";
import fc from "fast-check";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, expect, test, vi } from "vitest";
import { ApiError } from "@/lib/http";
import { Updates } from "./batch";
import type { Http } from "./environment";
import { apply, type RoomView } from "./reconcile";
import { isNotice } from "./room-window";
import { Rooms } from "./rooms";
import type { Message, MessagePage, RoomEvent, RoomSummary } from "./schema.gen";
import { openStore } from "./storage/dexie";
import type { LocalStore } from "./storage/store";
import { createStores } from "./stores";
import { logs, pageOf, ROOM } from "./testing/logs";
import { Timelines } from "./timelines";

/** Time for machines on which much else is going on; it takes a few seconds. */
const SLOW = 60_000;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A server with one room, of whose log it has come to `head`. */
class Server {
  readonly tabs = new Set<Tab>();
  /** The room as it was after each event. */
  readonly views: RoomView[] = [{ head: 0, messages: [] }];
  head: number;
  epoch = 0;

  constructor(
    public log: readonly RoomEvent[],
    head: number,
  ) {
    this.head = Math.min(head, log.length);
    for (const event of log) this.views.push(apply(this.views.at(-1)!, event));
  }

  messagesAt(head: number): readonly Message[] {
    return this.views[head]!.messages;
  }

  /** A backup takes the place of the data, and another future begins. */
  setBack(head: number, other: readonly RoomEvent[]): void {
    this.log = [...this.log.slice(0, head), ...other.slice(head)];
    this.head = head;
    this.epoch += 1;
    this.views.splice(head + 1);
    for (const event of this.log.slice(head)) this.views.push(apply(this.views.at(-1)!, event));
  }

  happen(count: number): void {
    const news = this.log.slice(this.head, this.head + count);
    this.head += news.length;
    for (const tab of this.tabs) tab.coming.push(...news);
  }

  summary(): RoomSummary {
    const counts = {
      head: this.head,
      read: 0,
      unread: this.head,
      mentions: 0,
      created_at: 0,
      joined_at: 0,
      last_at: 0,
    };
    return { id: ROOM, name: "garden", kind: "public", topic: "", role: "member", notify: "all", ...counts };
  }

  page({ limit, before = Infinity, after, around }: Record<string, number>): MessagePage {
    const messages = this.messagesAt(this.head);
    const entries = [...messages, ...this.log.slice(0, this.head).filter(isNotice)].sort((a, b) => a.seq - b.seq);
    if (around !== undefined)
      return pageOf(entries.filter(({ seq }) => Math.abs(seq - around) <= limit! / 2).slice(0, limit), this.head);
    if (after !== undefined) return pageOf(entries.filter(({ seq }) => seq > after).slice(0, limit), this.head);
    return pageOf(entries.filter(({ seq }) => seq < before).slice(-limit!), this.head);
  }
}

class Tab {
  /** Events on their way to it. */
  coming: RoomEvent[] = [];
  readonly stores = createStores();
  readonly rooms: Rooms;
  readonly timelines: Timelines;
  #online = false;
  #asking = 0;

  constructor(
    readonly server: Server,
    readonly store: LocalStore,
    number: number,
  ) {
    let clock = number;
    this.rooms = new Rooms({
      updates: new Updates(),
      me: "ann",
      stores: this.stores,
      draftOf: () => undefined,
      changed: () => undefined,
      quiet: () => undefined,
    });
    this.timelines = new Timelines({
      updates: new Updates(),
      me: "ann",
      http: {
        get: (_path: string, { query }: { query: Record<string, number> }) => this.#ask(() => server.page(query)),
      } as Http,
      store,
      stores: this.stores,
      entriesOf: () => [],
      headOf: (roomId) => this.rooms.head(roomId),
      epoch: () => this.rooms.epoch,
      sync: (roomId, from) => {
        const answer = () => ({
          head: server.head,
          events: server.log.slice(from, server.head),
          reset: server.head - from > 40,
        });
        void this.#ask(answer).then(
          (sync) => {
            if (!sync.reset) this.rooms.receive(roomId, sync.events);
            this.timelines.caughtUp(roomId, from, sync);
          },
          () => undefined, // the next `ready` says anew what is missed
        );
      },
      shown: () => undefined,
      online: () => this.#online,
      now: () => (clock += 2),
    });
  }

  static async open(server: Server, number: number): Promise<Tab> {
    const store = await openStore("ann");
    const tab = new Tab(server, store, number);
    tab.rooms.restore(await store.rooms());
    tab.timelines.open(ROOM);
    return tab;
  }

  connect(): void {
    if (this.#online) return;
    this.#online = true;
    this.coming = [];
    this.server.tabs.add(this);
    this.rooms.ready([this.server.summary()], String(this.server.epoch));
    this.timelines.ready();
  }

  disconnect(): void {
    this.#online = false;
    this.server.tabs.delete(this);
    this.coming = [];
  }

  hear(count: number): void {
    for (const event of this.coming.splice(0, count)) {
      this.rooms.receive(ROOM, [event]);
      this.timelines.receive(ROOM, [event]);
    }
  }

  async save(): Promise<void> {
    await this.store.saveRooms(this.rooms.list());
    await this.timelines.save();
  }

  close(): void {
    this.disconnect();
    this.timelines.close();
    this.store.close();
  }

  /** Nothing is on its way to the server or from it. */
  get quiet(): boolean {
    return this.#asking === 0 && this.coming.length === 0;
  }

  get shown() {
    this.timelines.flush();
    return this.stores.timelines.getState().get(ROOM);
  }

  /** @throws {ApiError} the connection went away meanwhile */
  async #ask<Answer>(answer: () => Answer): Promise<Answer> {
    this.#asking += 1;
    await turn();
    const answered = answer();
    await turn();
    this.#asking -= 1;
    if (!this.#online) throw new ApiError("network", "");
    return answered;
  }
}

let tabs: Tab[] = [];
let server: Server;

async function open(log: readonly RoomEvent[], head: number): Promise<void> {
  Dexie.dependencies.indexedDB = new IDBFactory();
  server = new Server(log, head);
  tabs = [await Tab.open(server, 0), await Tab.open(server, 1)];
}

const closeAll = () => tabs.splice(0).forEach((tab) => tab.close());
afterEach(closeAll);

/** What is kept is a part of the room as it was at one moment, or later, and nothing that was kept is lost. */
async function checkKept(before: number): Promise<number> {
  const store = await openStore("ann");
  const kept = await store.window(ROOM);
  store.close();
  if (kept === undefined) return before;
  expect(kept.head).toBeGreaterThanOrEqual(before);
  const within = <Entry extends { seq: number }>(entries: readonly Entry[]) =>
    entries.filter(({ seq }) => seq >= kept.from);
  const then = within(server.messagesAt(kept.head));
  expect(kept.messages.map(({ seq }) => seq)).toEqual(then.map(({ seq }) => seq));
  const heads = Array.from({ length: server.head - kept.head + 1 }, (_, later) => kept.head + later);
  const states = heads.map((head) => server.messagesAt(head));
  for (const message of kept.messages)
    expect(states.map((messages) => messages.find(({ seq }) => seq === message.seq))).toContainEqual(message);
  expect(kept.notices).toEqual(within(server.log.slice(0, kept.head).filter(isNotice)));
  return kept.head;
}

/** Both are there and hear of everything. */
async function settle(): Promise<void> {
  for (const tab of tabs) tab.connect();
  await vi.waitFor(
    () => {
      for (const tab of tabs) tab.hear(Infinity);
      for (const tab of tabs) {
        expect(tab.quiet).toBe(true);
        expect(tab.timelines.heldUpTo(ROOM)).toBe(server.head);
      }
    },
    { timeout: 2_000, interval: 1 },
  );
}

const step = fc.record({
  tab: fc.nat(1),
  count: fc.integer({ min: 1, max: 15 }),
  what: fc.constantFrom(
    "happen",
    "hear",
    "hear",
    "save",
    "save",
    "connect",
    "disconnect",
    "reopen",
    "jump",
    "latest",
    "older",
  ),
  turns: fc.nat(4),
});

test(
  "whatever two tabs save, and whenever, what is kept is the room as it was, and the latest that either has saved",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        logs({ minLength: 250, maxLength: 300 }),
        fc.integer({ min: 200, max: 280 }),
        fc.array(step, { minLength: 20, maxLength: 60 }),
        async (log, head, steps) => {
          await open(log, head);
          await settle();
          let kept = 0;
          for (const { tab: number, count, what, turns } of steps) {
            const tab = tabs[number]!;
            if (what === "happen") server.happen(count);
            else if (what === "hear") tab.hear(count);
            else if (what === "save") void tab.save();
            else if (what === "connect") tab.connect();
            else if (what === "disconnect") tab.disconnect();
            else if (what === "jump") void tab.shown?.jumpTo(count).catch(() => undefined);
            else if (what === "latest") void tab.shown?.jumpToLatest().catch(() => undefined);
            else if (what === "older") void tab.shown?.loadOlder().catch(() => undefined);
            else {
              tab.close();
              tabs[number] = await Tab.open(server, number);
            }
            for (let passed = 0; passed < turns; passed += 1) await turn();
            kept = await checkKept(kept);
          }
          await settle();
          for (const tab of tabs) await tab.shown?.jumpToLatest();
          await Promise.all(tabs.map((tab) => tab.save()));
          expect(await checkKept(kept)).toBe(server.head);
          closeAll();
        },
      ),
      { numRuns: 15 },
    );
  },
  SLOW,
);

test(
  "of a server that was set back nothing stays on the device of what it has forgotten, whichever tab hears of it first",
  async () => {
    const order = fc.shuffledSubarray([
      "connect 0",
      "connect 1",
      "save 0",
      "save 1",
      "save 0",
      "save 1",
      "reopen 0",
      "reopen 1",
    ]);
    const news = logs({ minLength: 30, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        news,
        news,
        fc.integer({ min: 5, max: 25 }),
        fc.nat(20),
        order,
        fc.nat(3),
        async (log, other, backup, grown, steps, turns) => {
          await open(log, log.length);
          await settle();
          await Promise.all(tabs.map((tab) => tab.save()));
          for (const tab of tabs) tab.disconnect();
          server.setBack(backup, other);
          server.happen(grown); // maybe past all that the tabs know
          for (const each of steps) {
            const [what, number] = each.split(" ");
            const tab = tabs[Number(number)]!;
            if (what === "connect") tab.connect();
            else if (what === "save") void tab.save();
            else {
              tab.close();
              tabs[Number(number)] = await Tab.open(server, Number(number));
            }
            for (let passed = 0; passed < turns; passed += 1) await turn();
          }
          await settle();
          server.happen(1);
          await settle();
          await Promise.all(tabs.map((tab) => tab.save()));
          expect(await checkKept(server.head)).toBe(server.head);
          for (const tab of tabs) expect(tab.shown?.messages).toMatchObject(server.messagesAt(server.head));
          closeAll();
        },
      ),
      { numRuns: 30 },
    );
  },
  SLOW,
);
