/** The windows of the rooms that are looked at, or were: loaded, kept up to date, shown with what the outbox holds, and saved. */

import { ApiError } from "@/lib/http";
import type { Updates } from "./batch";
import type { Http } from "./environment";
import type { Entries } from "./outbox-rules";
import { isOther } from "./room-counts";
import {
  caughtUp,
  fromPage,
  fromSaved,
  hasGap,
  last,
  receive,
  receiveAll,
  toSaved,
  withNewer,
  withOlder,
  type RoomWindow,
} from "./room-window";
import type { Message, MessagePage, RoomEvent, RoomSync } from "./schema.gen";
import { KEPT_MESSAGES, type LocalStore } from "./storage/store";
import type { Stores } from "./stores";
import { shownItems } from "./timeline-view";
import type { Timeline, TimelineStatus } from "./types";

export interface TimelinesOptions {
  updates: Updates;
  me: string;
  http: Http;
  store: LocalStore;
  stores: Stores;
  entriesOf: (roomId: string) => Entries;
  /** The seq of the last event that is known to exist. */
  headOf: (roomId: string) => number;
  /** Which history the server tells, as it said last. */
  epoch: () => string | undefined;
  /** Ask for what lies between; the answer comes in by `caughtUp`. */
  sync: (roomId: string, from: number) => void;
  /** Everything up to `head` is shown. */
  shown: (roomId: string, head: number) => void;
  online: () => boolean;
  now: () => number;
}

const LATEST = 60;
const PAGE = 100;
/** Rooms whose windows stay in memory although nobody looks at them. */
const MAX_UNUSED = 8;
const MAX_WAITING = 500;
const SAVE_EVERY = 5_000;

type Functions = Pick<Timeline, "loadOlder" | "loadNewer" | "jumpTo" | "jumpToLatest">;

interface Room {
  window: RoomWindow | undefined;
  /** Events that came before there was a window. */
  waiting: RoomEvent[];
  /** The server's history that both are of. */
  epoch: string | undefined;
  status: TimelineStatus;
  /** Those who look at it. */
  users: number;
  usedAt: number;
  unsaved: boolean;
  loading: Map<"latest" | "older" | "newer", Promise<void>>;
  readonly functions: Functions;
}

export class Timelines {
  readonly #options: TimelinesOptions;
  readonly #rooms = new Map<string, Room>();
  readonly #changed = new Set<string>();
  readonly #publish: () => void;
  readonly #saving: ReturnType<typeof setInterval>;

  constructor(options: TimelinesOptions) {
    this.#options = options;
    this.#publish = options.updates.coalesced(() => this.flush());
    this.#saving = setInterval(() => void this.save(), SAVE_EVERY);
  }

  /**
   * Somebody looks at a room: what is held is published at once. Call what is returned when they do no more: it is taken down, since it
   * is not kept up to date, and whoever comes back would see first what the room was when it was left.
   */
  open(roomId: string): () => void {
    const room = this.#room(roomId);
    room.users += 1;
    room.usedAt = this.#options.now();
    room.unsaved = true;
    this.#changed.add(roomId);
    this.flush();
    void this.#fill(roomId, room);
    return () => {
      room.users -= 1;
      this.#changed.add(roomId);
      this.flush();
      this.#evict();
    };
  }

  /** Hold what the device keeps of a room, so that it is synced and saved with the others. */
  async warm(roomId: string): Promise<void> {
    const room = this.#room(roomId);
    await this.#restore(roomId, room);
    if (room.window === undefined && room.users === 0) this.#rooms.delete(roomId);
  }

  /** Take events in any order, any number of times. */
  receive(roomId: string, events: readonly RoomEvent[]): void {
    const room = this.#rooms.get(roomId);
    if (room === undefined) return;
    if (room.window === undefined) {
      room.epoch ??= this.#options.epoch();
      room.waiting = [...room.waiting, ...events].slice(-MAX_WAITING);
    } else this.#set(roomId, room, events.reduce(receive, room.window));
  }

  /** The server is there again, and `ready` has said how far each room is. */
  ready(): void {
    const epoch = this.#options.epoch();
    for (const [roomId, room] of this.#rooms) {
      const { window } = room;
      if (isOther(room.epoch, epoch)) this.#forget(roomId, room);
      else if (window !== undefined) {
        this.#prove(roomId, window);
        this.#catchUp(roomId, window);
      } else if (room.users > 0) void this.#fill(roomId, room);
      room.epoch = epoch;
    }
  }

  /** Where a room is to be synced from; undefined where nothing of it is held. */
  heldUpTo(roomId: string): number | undefined {
    return this.#rooms.get(roomId)?.window?.view.head;
  }

  /** Take the answer to a sync from `asked` on. */
  caughtUp(roomId: string, asked: number, answer: RoomSync): void {
    const room = this.#rooms.get(roomId);
    if (room?.window === undefined) return;
    const window = caughtUp(room.window, asked, answer);
    if (window !== undefined) this.#set(roomId, room, window);
    else if (answer.head < asked) this.#forget(roomId, room);
    else void this.#replace(roomId, room);
  }

  /** The id of a message of the user's own. */
  idOf(roomId: string, clientId: string): string | undefined {
    const messages = this.#rooms.get(roomId)?.window?.view.messages ?? [];
    return messages.findLast((each) => each.client_id === clientId && each.sender_id === this.#options.me)?.id;
  }

  /** Something that is shown of a room has changed. */
  touch(roomId: string): void {
    if ((this.#rooms.get(roomId)?.users ?? 0) === 0) return; // it is shown when somebody opens it
    this.#changed.add(roomId);
    this.#publish();
  }

  /** The user is no longer a member. */
  drop(roomId: string): void {
    if (!this.#rooms.delete(roomId)) return;
    this.#changed.add(roomId);
    this.#publish();
  }

  /** Write to the device what has changed. */
  async save(): Promise<void> {
    const { store } = this.#options;
    for (const [roomId, room] of this.#rooms) {
      if (!room.unsaved || room.window === undefined) continue;
      room.unsaved = false;
      const saved = toSaved(room.window, KEPT_MESSAGES);
      if (saved === undefined) continue;
      const { epoch, usedAt } = room;
      await store.saveWindow(roomId, { ...saved, ...(epoch === undefined ? {} : { epoch }) }, usedAt);
    }
  }

  close(): void {
    clearInterval(this.#saving);
    this.#rooms.clear();
  }

  /** Publish now. */
  flush(): void {
    const before = this.#options.stores.timelines.getState();
    const after = new Map(before);
    for (const roomId of this.#changed) {
      const room = this.#rooms.get(roomId);
      if (room === undefined || room.users === 0) after.delete(roomId);
      else after.set(roomId, this.#shown(roomId, room));
    }
    this.#changed.clear();
    this.#options.stores.timelines.setState(after, true);
  }

  #room(roomId: string): Room {
    let room = this.#rooms.get(roomId);
    if (room === undefined) {
      room = {
        window: undefined,
        waiting: [],
        epoch: undefined,
        status: "loading",
        users: 0,
        usedAt: 0,
        unsaved: false,
        loading: new Map(),
        functions: {
          loadOlder: () => this.#loadOlder(roomId),
          loadNewer: () => this.#loadNewer(roomId),
          jumpTo: (target) => this.#jumpTo(roomId, target),
          jumpToLatest: () => this.#jumpToLatest(roomId),
        },
      };
      this.#rooms.set(roomId, room);
    }
    return room;
  }

  #set(roomId: string, room: Room, window: RoomWindow): void {
    if (window === room.window) return;
    // Of a room that nobody looks at, no more is held than the device keeps.
    room.window = room.users === 0 && window.live ? last(window, KEPT_MESSAGES) : window;
    room.unsaved = true;
    this.touch(roomId);
    this.#options.shown(roomId, window.view.head);
    this.#catchUp(roomId, window);
  }

  #catchUp(roomId: string, window: RoomWindow): void {
    if (hasGap(window, this.#options.headOf(roomId))) this.#options.sync(roomId, window.view.head);
  }

  /**
   * More may be held than the server has said: another tab has heard of it, the server lags by a moment (ADR 17) or was set back to a
   * backup. Only its log can tell, which `sync` asks.
   */
  #prove(roomId: string, { view: { head } }: RoomWindow): void {
    if (head > this.#options.headOf(roomId)) this.#options.sync(roomId, head);
  }

  #status(roomId: string, room: Room, status: TimelineStatus): void {
    room.status = status;
    this.touch(roomId);
  }

  /** Show what the device keeps, then what the server has. */
  async #fill(roomId: string, room: Room): Promise<void> {
    if (room.window === undefined) await this.#restore(roomId, room);
    if (room.window !== undefined) {
      if (this.#options.online()) this.#catchUp(roomId, room.window);
      return;
    }
    if (this.#options.online()) await this.#latest(roomId, room);
    else this.#status(roomId, room, "offline-empty");
  }

  async #restore(roomId: string, room: Room): Promise<void> {
    const { store, online, epoch } = this.#options;
    const saved = await store.window(roomId);
    if (saved === undefined || room.window !== undefined) return;
    if (online() && isOther(saved.epoch, epoch())) return store.dropWindow(roomId);
    if (isOther(saved.epoch, room.epoch)) room.waiting = [];
    room.epoch = online() ? epoch() : saved.epoch;
    const window = fromSaved(saved, room.waiting);
    room.waiting = [];
    this.#status(roomId, room, "ready");
    this.#set(roomId, room, window);
    if (online()) this.#prove(roomId, window);
  }

  /** Fetch the latest page in place of what is held. Errors are shown, not thrown. */
  #latest(roomId: string, room: Room): Promise<void> {
    return this.#once(room, "latest", async () => {
      if (room.window === undefined) this.#status(roomId, room, "loading");
      try {
        const page = await this.#page(roomId, { limit: LATEST });
        const window = receiveAll(fromPage(page, LATEST, { before: room.window }), room.waiting);
        room.waiting = [];
        room.epoch ??= this.#options.epoch();
        this.#status(roomId, room, "ready");
        this.#set(roomId, room, window);
      } catch (error) {
        const offline = error instanceof ApiError && error.status === 0;
        if (room.window === undefined) this.#status(roomId, room, offline ? "offline-empty" : "error");
      }
    });
  }

  /** What is held is too old to be caught up with: show the same part of the room anew. */
  async #replace(roomId: string, room: Room): Promise<void> {
    const { window } = room;
    if (window === undefined || window.live) return this.#latest(roomId, room);
    const middle = (window.from + window.upto) >> 1;
    await this.#around(roomId, room, middle).catch(() => undefined); // it stays as it is until the next gap shows
  }

  /** The server was set back to a backup: what is held of the room is no part of it any more, here and on the device. */
  #forget(roomId: string, room: Room): void {
    void this.#options.store.dropWindow(roomId);
    room.window = undefined;
    room.waiting = [];
    room.unsaved = false;
    if (room.users > 0) void this.#latest(roomId, room);
    else this.#rooms.delete(roomId);
  }

  async #loadOlder(roomId: string): Promise<void> {
    await this.#extend(roomId, "older", ({ complete, from }) => (complete ? undefined : { before: from }));
  }

  async #loadNewer(roomId: string): Promise<void> {
    await this.#extend(roomId, "newer", ({ live, upto }) => (live ? undefined : { after: upto }));
  }

  async #extend(
    roomId: string,
    end: "older" | "newer",
    part: (window: RoomWindow) => Record<string, number> | undefined,
  ): Promise<void> {
    const room = this.#room(roomId);
    await this.#once(room, end, async () => {
      // A page may come too late, after a jump or after more events than are remembered: then the next one will do.
      for (let attempt = 0; attempt < 3; attempt++) {
        const wanted = room.window === undefined ? undefined : part(room.window);
        if (wanted === undefined) return;
        const page = await this.#page(roomId, { ...wanted, limit: PAGE });
        const { window } = room;
        if (window === undefined || JSON.stringify(part(window)) !== JSON.stringify(wanted)) continue;
        const extended = (end === "older" ? withOlder : withNewer)(window, page, PAGE);
        if (extended === undefined) continue;
        this.#set(roomId, room, extended);
        return;
      }
    });
  }

  async #jumpTo(roomId: string, target: number | string): Promise<number | undefined> {
    const room = this.#room(roomId);
    const seq = typeof target === "number" ? target : await this.#seqOf(roomId, room, target);
    if (seq === undefined) return undefined;
    if (!holds(room.window, seq)) await this.#around(roomId, room, seq);
    return seq;
  }

  async #seqOf(roomId: string, room: Room, id: string): Promise<number | undefined> {
    const held = room.window?.view.messages.find((each) => each.id === id);
    if (held !== undefined) return held.seq;
    try {
      return (await this.#options.http.get<Message>(`/api/rooms/${roomId}/messages/${id}`)).seq;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  async #around(roomId: string, room: Room, seq: number): Promise<void> {
    const page = await this.#page(roomId, { around: seq, limit: PAGE });
    const window = receiveAll(fromPage(page, PAGE, { around: true, before: room.window }), room.waiting);
    room.waiting = [];
    room.epoch ??= this.#options.epoch();
    this.#status(roomId, room, "ready");
    this.#set(roomId, room, window);
  }

  async #jumpToLatest(roomId: string): Promise<void> {
    const room = this.#room(roomId);
    if (room.window?.live !== true) await this.#latest(roomId, room);
  }

  #page(roomId: string, query: Record<string, number>): Promise<MessagePage> {
    return this.#options.http.get<MessagePage>(`/api/rooms/${roomId}/messages`, {
      query: { ...query, events: "true" },
    });
  }

  #once(room: Room, what: "latest" | "older" | "newer", load: () => Promise<void>): Promise<void> {
    const loading = room.loading.get(what) ?? load().finally(() => room.loading.delete(what));
    room.loading.set(what, loading);
    return loading;
  }

  #evict(): void {
    const unused = [...this.#rooms].filter(([, room]) => room.users === 0 && !room.unsaved);
    unused.sort(([, a], [, b]) => b.usedAt - a.usedAt);
    for (const [roomId] of unused.slice(MAX_UNUSED)) this.drop(roomId);
  }

  #shown(roomId: string, room: Room): Timeline {
    const { window, status, functions } = room;
    return {
      ...shownItems(window, this.#options.entriesOf(roomId), this.#options.me),
      hasOlder: window !== undefined && !window.complete,
      hasNewer: window?.live === false,
      status,
      ...functions,
    };
  }
}

function holds(window: RoomWindow | undefined, seq: number): boolean {
  return window !== undefined && window.from <= seq && (window.live || seq <= window.upto);
}
