/** The rooms that the user is in: what the server says of them, what happened since, and the drafts. */

import type { Updates } from "./batch";
import {
  fromSummary,
  isBehind,
  isOther,
  mentionsOf,
  quietUpTo,
  shownRead,
  unreadOf,
  withEvent,
  withHead,
  withKnown,
  withMark,
  withRead,
  withUnread,
} from "./room-counts";
import type { NotificationLevel, RoomEvent, RoomSummary, RoomSync, Unread } from "./schema.gen";
import type { RoomRecord } from "./storage/store";
import type { Stores } from "./stores";
import type { RoomState, RoomsStatus } from "./types";

export interface RoomsOptions {
  updates: Updates;
  me: string;
  stores: Stores;
  draftOf: (roomId: string) => string | undefined;
  /** Something has changed that is worth keeping on the device. */
  changed: () => void;
  /** The marker may follow to `seq`: nothing is to be read before it. */
  quiet: (roomId: string, seq: number) => void;
}

export interface RoomsChanged {
  gone: string[];
  setBack: string[];
  /** What the server said less of than is known; `synced` settles it. */
  doubted: RoomSummary[];
}

export class Rooms {
  readonly #options: RoomsOptions;
  readonly #records = new Map<string, RoomRecord>();
  readonly #shown = new Map<string, { record: RoomRecord; draft: string | undefined; state: RoomState }>();
  readonly #publish: () => void;
  /** What `ready` said of rooms of which more is known: only the server's log can tell whether it was set back. */
  readonly #doubted = new Map<string, RoomSummary>();
  #status: RoomsStatus = "loading";
  #epoch: string | undefined;

  constructor(options: RoomsOptions) {
    this.#options = options;
    this.#publish = options.updates.coalesced(() => this.flush());
  }

  /** Begin with what the device kept. */
  restore(records: readonly RoomRecord[]): void {
    if (this.#status === "ready" || records.length === 0) return;
    for (const record of records) this.#records.set(record.id, record);
    this.#status = "cached";
    this.flush();
  }

  /** Which history the server told when it was there last; undefined before it was. */
  get epoch(): string | undefined {
    return this.#epoch;
  }

  /**
   * The server's list, which is complete. Returns the rooms that are gone, those that the server has set back, of which nothing counts
   * that was known before, and those of which its log is to be asked from `head` on.
   */
  ready(summaries: readonly RoomSummary[], epoch: string): RoomsChanged {
    const before = new Map(this.#records);
    const setBack: string[] = [];
    this.#records.clear();
    this.#doubted.clear();
    this.#epoch = epoch;
    for (const summary of summaries) {
      let known = before.get(summary.id);
      if (known !== undefined && isOther(known.epoch, epoch)) {
        setBack.push(summary.id);
        known = undefined;
      } else if (known !== undefined && isBehind(summary, known.counts)) this.#doubted.set(summary.id, summary);
      this.#records.set(summary.id, recordOf(summary, epoch, known));
    }
    this.#status = "ready";
    this.#touch();
    const gone = [...before.keys()].filter((id) => !this.#records.has(id));
    return { gone, setBack, doubted: [...this.#doubted.values()] };
  }

  /** Whether it is not known if the server was set back in a room: it is to be asked from `head` on, not from what is held. */
  isDoubted(roomId: string): boolean {
    return this.#doubted.has(roomId);
  }

  /**
   * The server was asked for what comes after `asked`. Where the room was in doubt, returns what is so, and whether the server was set
   * back: of what was known before nothing counts then.
   */
  synced(
    roomId: string,
    asked: number,
    { head, reset }: RoomSync,
  ): { summary: RoomSummary; setBack: boolean } | undefined {
    const record = this.#records.get(roomId);
    if (record === undefined) return undefined;
    const said = this.#doubted.get(roomId);
    this.#doubted.delete(roomId);
    const setBack = said !== undefined && reset && head < asked;
    const counts = withHead(record.counts, head);
    if (setBack) this.#set(recordOf({ ...said, head }, this.#epoch, undefined));
    else if (counts !== record.counts) this.#set({ ...record, counts });
    return said && { summary: said, setBack };
  }

  /** The server cannot be asked, and the device knows nothing. */
  unreachable(): void {
    if (this.#status !== "loading") return;
    this.#status = "error";
    this.#publish();
  }

  add(summary: RoomSummary): void {
    this.#set(recordOf(summary, this.#epoch, this.#records.get(summary.id)));
  }

  remove(roomId: string): void {
    if (!this.#records.delete(roomId)) return;
    this.#shown.delete(roomId);
    this.#touch();
  }

  get(roomId: string): RoomRecord | undefined {
    return this.#records.get(roomId);
  }

  list(): RoomRecord[] {
    return [...this.#records.values()];
  }

  /** The seq of the last event that is known to exist; 0 for a room that is not known. */
  head(roomId: string): number {
    return this.#records.get(roomId)?.counts.head ?? 0;
  }

  /** Take events in any order, any number of times. */
  receive(roomId: string, events: readonly RoomEvent[]): void {
    const record = this.#records.get(roomId);
    if (record === undefined) return;
    const counts = events.reduce((before, event) => withEvent(before, event, this.#options.me), record.counts);
    let after = counts === record.counts ? record : { ...record, counts };
    for (const event of events) after = changed(after, event, record.counts.head, this.#options.me);
    if (after === record) return;
    this.#set(after);
    const read = quietUpTo(counts);
    if (read > counts.read && events.some((each) => each.sender_id === this.#options.me)) {
      this.#options.quiet(roomId, read);
    }
  }

  /** The user has read up to `seq` here. Returns whether that is news. */
  read(roomId: string, seq: number): boolean {
    const record = this.#records.get(roomId);
    if (record === undefined) return false;
    const counts = withRead(record.counts, seq);
    if (counts === record.counts) return false;
    this.#set({ ...record, counts });
    return true;
  }

  /** The server has told where its marker is; with `unread` it was moved there on purpose, which may be back. */
  told(roomId: string, read: number, unread?: Unread): void {
    const record = this.#records.get(roomId);
    if (record === undefined) return;
    const counts = unread === undefined ? withKnown(record.counts, read) : withUnread(record.counts, read, unread);
    if (counts !== record.counts) this.#set({ ...record, counts });
  }

  /** Show what lies from `from` on as unread; without, no more. Returns whether that is news. */
  mark(roomId: string, from: number | undefined): boolean {
    const record = this.#records.get(roomId);
    if (record === undefined) return false;
    const counts = withMark(record.counts, from);
    if (counts === record.counts) return false;
    this.#set({ ...record, counts });
    return true;
  }

  level(roomId: string, level: NotificationLevel): void {
    const record = this.#records.get(roomId);
    if (record !== undefined) this.#set({ ...record, level });
  }

  /** Something that is shown of a room but kept elsewhere has changed: its draft. */
  touch(): void {
    this.#publish();
  }

  /** Publish now. */
  flush(): void {
    const { stores } = this.#options;
    const list = [...this.#records.values()].map((record) => this.#state(record));
    const rooms = new Map(list.map((room) => [room.id, room]));
    const before = stores.rooms.getState();
    const ids = [...rooms.keys()];
    const sameIds = ids.length === before.ids.length && ids.every((id, index) => id === before.ids[index]);
    stores.rooms.setState({ status: this.#status, rooms, list, ids: sameIds ? before.ids : ids }, true);
  }

  #set(record: RoomRecord): void {
    this.#records.set(record.id, record);
    this.#touch();
  }

  #touch(): void {
    this.#publish();
    this.#options.changed();
  }

  #state(record: RoomRecord): RoomState {
    const draft = this.#options.draftOf(record.id);
    const known = this.#shown.get(record.id);
    if (known?.record === record && known.draft === draft) return known.state;
    const { id, name, kind, topic, peer, role, level, lastAt, counts } = record;
    const state: RoomState = {
      id,
      name,
      kind,
      topic,
      role,
      head: counts.head,
      read: shownRead(counts),
      unread: unreadOf(counts),
      mentions: mentionsOf(counts),
      level,
      lastAt,
      ...(peer === undefined ? {} : { peer }),
      ...(draft === undefined ? {} : { draft }),
    };
    this.#shown.set(id, { record, draft, state });
    return state;
  }
}

function recordOf(summary: RoomSummary, epoch: string | undefined, before: RoomRecord | undefined): RoomRecord {
  const { id, name, kind, topic, role, notify, last_at, peer } = summary;
  const counts = fromSummary(summary, before?.counts);
  const lastAt = Math.max(last_at, before?.lastAt ?? 0);
  return {
    id,
    name,
    kind,
    topic,
    role,
    level: notify,
    counts,
    lastAt,
    ...(peer === undefined ? {} : { peer }),
    ...(epoch === undefined ? {} : { epoch }),
  };
}

/** A room after an event; the same object where it is neither the last one nor changes what the room is. */
function changed(before: RoomRecord, event: RoomEvent, head: number, me: string): RoomRecord {
  const record = event.at > before.lastAt ? { ...before, lastAt: event.at } : before;
  if (event.type !== "room.updated" || event.seq <= head) return record; // told late: the record is newer
  const { name = record.name, topic = record.topic, kind = record.kind, roles } = event.data;
  return { ...record, name, topic, kind, role: roles?.[me] ?? record.role };
}
