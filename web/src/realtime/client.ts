/** One account in one tab: puts the parts of the data layer together and carries what happens from one to the other. */

import { readAccountItem, removeAccountItem, writeAccountItem } from "@/lib/account-storage";
import { Activity } from "./activity";
import { askForWake } from "./background";
import { Updates } from "./batch";
import { Calls } from "./calls";
import { Drafts } from "./drafts";
import { newId, type Environment } from "./environment";
import { Outbox } from "./outbox";
import type { Command, OutboxEntry } from "./outbox-rules";
import { unsentTexts } from "./outbox-view";
import { People } from "./people";
import { Reading } from "./reading";
import { Rooms } from "./rooms";
import { sendEntry } from "./send-entry";
import type { ErrorBody, NotificationLevel, ReadyState, RoomEvent } from "./schema.gen";
import { Link, type ServerEvent } from "./socket";
import type { LocalStore, RoomRecord } from "./storage/store";
import { clear, firstRooms, publishUnsent, type Stores } from "./stores";
import { Syncing } from "./syncing";
import { Leadership, type TabChannel, type TabMessage } from "./tabs";
import { Timelines } from "./timelines";
import type { Tokens } from "./tokens";
import type { RefusedCommand } from "./types";

export interface ClientOptions {
  userId: string;
  environment: Environment;
  stores: Stores;
  store: LocalStore;
  tokens: Tokens;
  channel: TabChannel;
  /** The server has named the session. */
  named: (ready: ReadyState) => void;
  /** The session is over. */
  ended: (reason: string) => void;
  refused: (command: RefusedCommand) => void;
}

/** Rooms that were used last whose messages are kept up to date although nobody looks at them. */
const WARM_ROOMS = 8;
const SAVE_ROOMS_AFTER = 2_000;
/** The item of unsent texts that were not in the store when the page was left: src/early/early.ts shows them too. */
const DRAFTS = "drafts";
const STUCK_AFTER = 10_000;
/** A typing notice ends after 6 s unless it is renewed. */
const TYPING_EVERY = 3_000;

export class Client {
  readonly rooms: Rooms;
  readonly reading: Reading;
  readonly timelines: Timelines;
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  readonly people: People;
  readonly calls = new Calls();
  /** Who hears of what happens in rooms, live or caught up on. */
  readonly roomListeners = new Set<(event: RoomEvent) => void>();
  readonly link: Link;
  readonly #options: ClientOptions;
  readonly #syncing: Syncing;
  readonly #leadership: Leadership;
  readonly #activity: Activity;
  #savingRooms: ReturnType<typeof setTimeout> | undefined;
  #leading = false;
  #typed = { roomId: "", at: 0 };

  constructor(options: ClientOptions) {
    this.#options = options;
    const { environment, stores, store, tokens, channel, userId: me } = options;
    const { http } = environment;
    const online = () => this.link.online;
    const now = () => Date.now();
    this.link = new Link({
      origin: environment.origin,
      tokens,
      pollingOnly: environment.pollingOnly,
      onState: (state, retryAt) => {
        stores.connection.setState(
          {
            status: state.status,
            ...(retryAt === undefined ? {} : { retryAt }),
            ...(state.transport === undefined ? {} : { transport: state.transport }),
            ...(store.durable ? {} : { durable: false }),
          },
          true,
        );
        if (!this.link.online) this.#offline();
        if (state.failures > 0) this.rooms.unreachable();
      },
      onEvent: (event) => this.#hear(event),
      onEnded: options.ended,
    });
    this.outbox = new Outbox({
      store: store.outbox,
      send: (entry) => sendEntry(this.link, entry),
      changed: (roomId) => {
        this.timelines.touch(roomId);
        publishUnsent(stores, this.outbox.count, roomId, unsentTexts(this.outbox.entries(roomId)));
        if (!store.durable) stores.connection.setState({ durable: false });
      },
      refused: (entry, error) => this.#refused(entry, error),
      written: (roomId, removed) => channel.tell({ type: "outbox", roomId, removed }),
      idOf: (roomId, clientId) => this.timelines.idOf(roomId, clientId),
      delay: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      newId,
      now,
    });
    this.drafts = new Drafts({
      http,
      store,
      noted: {
        read: () => readAccountItem(me, DRAFTS),
        write: (drafts) => (drafts.length > 0 ? writeAccountItem(me, DRAFTS, drafts) : removeAccountItem(me, DRAFTS)),
      },
      online,
      isMember: (roomId) => this.rooms.get(roomId) !== undefined,
      changed: () => this.rooms.touch(),
      written: (draft) => channel.tell({ type: "draft", draft }),
      now,
    });
    const updates = new Updates();
    this.rooms = new Rooms({
      updates,
      me,
      stores,
      draftOf: (roomId) => this.drafts.textOf(roomId),
      changed: () => {
        this.#savingRooms ??= setTimeout(() => void this.save(), SAVE_ROOMS_AFTER);
      },
      quiet: (roomId, seq) => this.reading.readQuietly(roomId, seq),
    });
    this.reading = new Reading({
      rooms: this.rooms,
      tell: (mark) => this.link.request("read", mark),
      leading: () => this.#leading,
      marked: (roomId, from) => channel.tell({ type: "mark", roomId, ...(from === undefined ? {} : { from }) }),
    });
    this.timelines = new Timelines({
      updates,
      me,
      http,
      store,
      stores,
      entriesOf: (roomId) => this.outbox.entries(roomId),
      headOf: (roomId) => this.rooms.head(roomId),
      epoch: () => this.rooms.epoch,
      sync: (roomId, from) => this.#sync(roomId, from),
      shown: (roomId, head) => void this.outbox.settle(roomId, head),
      online,
      now,
    });
    this.#syncing = new Syncing({
      ask: async (rooms) => (await this.link.request("sync", { rooms })).rooms,
      answered: (roomId, asked, answer) => {
        if (answer.error !== undefined) return;
        const settled = this.rooms.synced(roomId, asked, answer);
        if (settled?.setBack === true) this.people.drop(roomId);
        this.#happened(roomId, answer.events, () => this.timelines.caughtUp(roomId, asked, answer));
        const record = this.rooms.get(roomId);
        if (settled === undefined || record === undefined) return;
        this.reading.ready([settled.summary]);
        this.#identify([record]);
      },
    });
    this.people = new People({
      updates,
      me,
      http,
      store,
      stores,
      watch: async (user_ids) => (await this.link.request("presence.watch", { user_ids })).presence,
      now,
    });
    this.#leadership = new Leadership(environment.locks, `parlour-outbox-${me}`, (leading) => {
      this.#leading = leading;
      this.outbox.setActive(leading && online());
    });
    this.#activity = new Activity({
      link: this.link,
      leaving: () => {
        this.reading.flush(); // it may be the last that is heard of this page
        this.drafts.keep();
        this.outbox.release().catch(() => undefined);
        void this.save();
        // A frozen page must not keep others from sending; one that is closed loses the lock by itself.
        if (!online()) this.#leadership.want(false);
      },
      wake: () => this.link.input({ type: "woken" }),
      tick: () => {
        if (!this.#leading && online() && this.outbox.isStuck(now() - STUCK_AFTER)) this.#leadership.insist();
      },
    });
  }

  /** Show what the device keeps, then connect. Resolves once there is something to show. */
  async start(): Promise<void> {
    const { store } = this.#options;
    const [rooms] = await Promise.all([
      store.rooms(),
      this.drafts.restore(),
      this.people.restore(),
      this.outbox.load().catch(() => undefined),
    ]);
    this.rooms.restore(rooms);
    this.#activity.start();
    this.link.input({ type: "start" });
    void this.#warm();
    // What the server says is waited for, as to draw a page twice takes longer than a good network.
    if (rooms.length === 0) await firstRooms(this.#options.stores);
  }

  /** Stop everything. What the device keeps stays. */
  close(): void {
    this.link.close();
    this.#activity.stop();
    this.outbox.setActive(false);
    this.#leadership.want(false);
    this.#syncing.close();
    this.drafts.close();
    this.reading.close();
    this.people.close();
    this.timelines.close();
    clearTimeout(this.#savingRooms);
    clear(this.#options.stores);
  }

  /** Write to the device what is not on it yet; the outbox always is. */
  async save(): Promise<void> {
    clearTimeout(this.#savingRooms);
    this.#savingRooms = undefined;
    await this.drafts.flush();
    await this.#options.store.saveRooms(this.rooms.list());
    await this.timelines.save();
  }

  /** What another tab says. */
  told(message: TabMessage): void {
    switch (message.type) {
      case "outbox":
        void this.outbox.refresh(message.roomId, message.removed ?? []).catch(() => undefined);
        return;
      case "draft":
        this.drafts.take(message.draft);
        return;
      case "mark":
        this.rooms.mark(message.roomId, message.from);
        return;
      case "token":
      case "user":
      case "ended":
        return; // session.ts takes these
    }
  }

  /** Do something to a room, no sooner than in `hold` ms. Resolves with the command's client id once it cannot be lost any more. */
  async command(roomId: string, command: Command, hold = 0): Promise<string> {
    const { clientId, saved } = this.outbox.add(roomId, command, hold);
    if (command.kind === "message.send") this.#typed = { roomId, at: 0 };
    if (!this.link.online) askForWake();
    await saved;
    return clientId;
  }

  setTyping(roomId: string, on: boolean): void {
    const now = Date.now();
    if (on && roomId === this.#typed.roomId && now - this.#typed.at < TYPING_EVERY) return;
    this.#typed = { roomId, at: on ? now : 0 };
    this.link.volatile("typing", { room_id: roomId, on });
  }

  /** @throws {ApiError} and the level is what it was */
  async setLevel(roomId: string, level: NotificationLevel): Promise<void> {
    const before = this.rooms.get(roomId)?.level;
    this.rooms.level(roomId, level);
    try {
      await this.#options.environment.http.put(`/api/rooms/${roomId}/notifications`, { level });
    } catch (error) {
      if (before !== undefined) this.rooms.level(roomId, before);
      throw error;
    }
  }

  #hear(event: ServerEvent): void {
    switch (event.name) {
      case "ready":
        this.#ready(event.payload);
        return;
      case "event": {
        const { payload } = event;
        this.#happened(payload.room_id, [payload], () => this.timelines.receive(payload.room_id, [payload]));
        return;
      }
      case "read":
        this.people.read(event.payload.room_id, event.payload.user_id, event.payload.seq);
        if (event.payload.user_id === this.#options.userId)
          this.rooms.told(event.payload.room_id, event.payload.seq, event.payload.unread);
        return;
      case "typing":
        this.people.typing(event.payload.room_id, event.payload.user_id, event.payload.on);
        return;
      case "presence":
        this.people.present(event.payload.user_id, event.payload.state);
        return;
      case "room.added": {
        const { room } = event.payload;
        const again = this.rooms.get(room.id) !== undefined;
        this.rooms.add(room);
        if (room.peer !== undefined) this.people.know([room.peer]);
        if (again) this.timelines.ready(); // what happened while the server had the user out of it was not told
        return;
      }
      case "room.removed":
        this.#left(event.payload.room_id);
        return;
      case "auth.expiring":
      case "session.revoked":
      case "socket.displaced":
        return; // the link takes these
      default:
        this.calls.tell(event);
        return;
    }
  }

  #ready(ready: ReadyState): void {
    this.#options.named(ready);
    const { gone, setBack, doubted } = this.rooms.ready(ready.rooms, ready.epoch);
    // Also of rooms that only the outbox remembers: the page may have gone before it knew that the user was out.
    const unknown = this.outbox.rooms().filter((roomId) => this.rooms.get(roomId) === undefined);
    new Set([...gone, ...unknown]).forEach((roomId) => this.#left(roomId));
    setBack.forEach((roomId) => this.people.drop(roomId));
    this.reading.ready(ready.rooms.filter((each) => !this.rooms.isDoubted(each.id)));
    this.people.know([ready.user, ...ready.rooms.flatMap((each) => (each.peer === undefined ? [] : [each.peer]))]);
    this.people.ready();
    this.timelines.ready();
    for (const { id } of doubted) this.#sync(id, this.rooms.head(id));
    this.#identify(this.rooms.list().filter((each) => !this.rooms.isDoubted(each.id)));
    this.#leadership.want(true);
    this.outbox.setActive(this.#leading);
    this.#activity.tell();
    this.drafts.ready().catch(() => undefined); // they are here; the next connection fetches them
  }

  /** Ask for what comes after `from`, or first whether what is known of the room still counts. */
  #sync(roomId: string, from: number): void {
    this.#syncing.want(roomId, this.rooms.isDoubted(roomId) ? Math.max(from, this.rooms.head(roomId)) : from);
  }

  /** Find out what the unread events of rooms are of which nothing is held. */
  #identify(records: readonly RoomRecord[]): void {
    this.#syncing.ready(records, (roomId) => this.timelines.heldUpTo(roomId));
  }

  #offline(): void {
    this.outbox.setActive(false);
    this.#leadership.want(false);
    this.people.offline();
    this.#syncing.stop();
  }

  /** Events of a room, live or synced: counted, shown by `show`, and taken off what waits in the outbox. */
  #happened(roomId: string, events: readonly RoomEvent[], show: () => void): void {
    this.rooms.receive(roomId, events);
    this.reading.receive(roomId);
    show();
    const mine = new Map<string, RoomEvent>();
    for (const event of events) {
      if (event.sender_id === this.#options.userId) mine.set(event.client_id, event);
      if (event.type === "message.created") this.people.typing(roomId, event.sender_id, false);
    }
    if (mine.size > 0) this.outbox.receive(roomId, mine).catch(() => undefined);
    for (const event of events) this.roomListeners.forEach((listener) => listener(event));
  }

  #left(roomId: string): void {
    this.reading.drop(roomId);
    this.rooms.remove(roomId);
    this.timelines.drop(roomId);
    this.people.drop(roomId);
    const error = { code: "room_not_found", message: "You are not a member of this room any more." };
    this.outbox.strand(roomId, error).catch(() => undefined);
    void this.#options.store.dropWindow(roomId);
  }

  #refused({ roomId, clientId, command }: OutboxEntry, error: ErrorBody): void {
    this.#options.refused({ roomId, clientId, kind: command.kind, error });
  }

  async #warm(): Promise<void> {
    for (const roomId of (await this.#options.store.windowIds()).slice(0, WARM_ROOMS))
      await this.timelines.warm(roomId);
  }
}
