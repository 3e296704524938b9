/** The local store over IndexedDB: one database an account. */

import Dexie, { type Table } from "dexie";
import type { Entries, OutboxEntry } from "../outbox-rules";
import type { SavedWindow } from "../room-window";
import type { Profile } from "../schema.gen";
import { MemoryOutbox, MemoryStore } from "./memory";
import {
  MAX_PROFILES,
  MAX_WINDOWS,
  type LocalStore,
  type OutboxStore,
  type RoomRecord,
  type SavedDraft,
  type SavedSession,
} from "./store";

const OPEN_TIMEOUT = 4_000;
/** ms after which no other try is made to open a database that does not answer: the page waits for it. */
const OPEN_WITHIN = 8_000;
/** ms between tries: what a browser refuses while it wakes or tidies up, it mostly gives a moment later. */
const PAUSES = [100, 400];
const WINDOWS_KEPT_WHEN_FULL = 5;

interface SavedRoomWindow extends SavedWindow {
  roomId: string;
  usedAt: number;
}

class Database extends Dexie {
  declare readonly session: Table<SavedSession & { key: "session" }, string>;
  declare readonly rooms: Table<RoomRecord, string>;
  declare readonly windows: Table<SavedRoomWindow, string>;
  declare readonly profiles: Table<{ id: string; at: number; profile: Profile }, string>;
  declare readonly drafts: Table<SavedDraft, string>;
  declare readonly outbox: Table<OutboxEntry, number>;

  constructor(name: string) {
    super(name, { chromeTransactionDurability: "strict" });
    this.version(1).stores({
      session: "key",
      rooms: "id",
      windows: "roomId, usedAt",
      profiles: "id, at",
      drafts: "roomId",
      outbox: "++order, &clientId, roomId",
    });
    // Windows of before did not know where they begin, nor rooms where the server's marker is.
    this.version(2).upgrade(async (transaction) => {
      await Promise.all([transaction.table("windows").clear(), transaction.table("rooms").clear()]);
    });
  }
}

/** The name of an account's database. */
export function databaseName(userId: string): string {
  return `parlour-${userId}`;
}

/** Open an account's store; one in memory where the browser gives no database, or does not answer. */
export async function openStore(userId: string): Promise<LocalStore> {
  const giveUp = Date.now() + OPEN_WITHIN;
  const isWorthAnother = (error: unknown) => !isMissing(error) && Date.now() < giveUp;
  try {
    return new DexieStore(await persistently(() => openDatabase(userId), isWorthAnother));
  } catch {
    return new MemoryStore();
  }
}

async function openDatabase(userId: string): Promise<Database> {
  const database = new Database(databaseName(userId));
  try {
    await Promise.race([database.open(), rejectAfter(OPEN_TIMEOUT)]);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Delete what may be left of an account that nobody is signed in to. */
export async function deleteStore(userId: string): Promise<void> {
  await Dexie.delete(databaseName(userId)).catch(() => undefined);
}

class DexieStore implements LocalStore {
  readonly #database: Database;
  readonly outbox: DexieOutbox;

  constructor(database: Database) {
    this.#database = database;
    this.outbox = new DexieOutbox(database, () => this.#dropWindows(WINDOWS_KEPT_WHEN_FULL));
  }

  get durable(): boolean {
    return this.outbox.durable;
  }

  session(): Promise<SavedSession | undefined> {
    return this.#read(() => this.#database.session.get("session"), undefined);
  }

  saveSession(session: SavedSession): Promise<void> {
    return this.#write(() => this.#database.session.put({ ...session, key: "session" }));
  }

  rooms(): Promise<RoomRecord[]> {
    return this.#read(() => this.#database.rooms.toArray(), []);
  }

  saveRooms(rooms: readonly RoomRecord[]): Promise<void> {
    const { rooms: table } = this.#database;
    return this.#write(() =>
      this.#database.transaction("rw", table, async () => {
        const kept = new Set(rooms.map((each) => each.id));
        const gone = (await table.toCollection().primaryKeys()).filter((id) => !kept.has(id));
        await table.bulkDelete(gone);
        await table.bulkPut(rooms);
      }),
    );
  }

  window(roomId: string): Promise<SavedWindow | undefined> {
    return this.#read(() => this.#database.windows.get(roomId), undefined);
  }

  windowIds(): Promise<string[]> {
    return this.#read(() => this.#database.windows.orderBy("usedAt").reverse().primaryKeys(), []);
  }

  saveWindow(roomId: string, window: SavedWindow, usedAt: number): Promise<void> {
    const { windows } = this.#database;
    return this.#write(() =>
      this.#database.transaction("rw", windows, async () => {
        const kept = await windows.get(roomId);
        if (kept !== undefined && kept.epoch === window.epoch && kept.head > window.head) return;
        await windows.put({ ...window, roomId, usedAt });
        const superfluous = (await windows.count()) - MAX_WINDOWS;
        if (superfluous > 0) await windows.orderBy("usedAt").limit(superfluous).delete();
      }),
    );
  }

  dropWindow(roomId: string): Promise<void> {
    return this.#write(() => this.#database.windows.delete(roomId));
  }

  async profiles(): Promise<Profile[]> {
    return (await this.#read(() => this.#database.profiles.toArray(), [])).map((each) => each.profile);
  }

  saveProfiles(profiles: readonly Profile[], at: number): Promise<void> {
    const { profiles: table } = this.#database;
    return this.#write(() =>
      this.#database.transaction("rw", table, async () => {
        await table.bulkPut(profiles.map((profile) => ({ id: profile.id, at, profile })));
        const superfluous = (await table.count()) - MAX_PROFILES;
        if (superfluous > 0) await table.orderBy("at").limit(superfluous).delete();
      }),
    );
  }

  drafts(): Promise<SavedDraft[]> {
    return this.#read(() => this.#database.drafts.toArray(), []);
  }

  saveDraft(draft: SavedDraft): Promise<void> {
    const { drafts } = this.#database;
    return this.#write(() =>
      this.#database.transaction("rw", drafts, async () => {
        const kept = await drafts.get(draft.roomId);
        if (kept !== undefined && kept.at > draft.at) return;
        if (draft.text === "" && draft.synced) await drafts.delete(draft.roomId);
        else await drafts.put(draft);
      }),
    );
  }

  async wipe(keepUnsent: boolean): Promise<void> {
    const { session, rooms, windows, profiles } = this.#database;
    if (keepUnsent) {
      await this.#write(() => Promise.all([session, rooms, windows, profiles].map((each) => each.clear())));
      this.close();
      return;
    }
    this.outbox.closed = true;
    await this.#database.delete().catch(() => undefined);
  }

  close(): void {
    this.outbox.closed = true;
    this.#database.close();
  }

  async #read<T>(read: () => PromiseLike<T>, otherwise: T): Promise<T> {
    try {
      return await read();
    } catch {
      return otherwise;
    }
  }

  async #write(write: () => PromiseLike<unknown>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!isQuotaError(error)) return;
      await this.#dropWindows(WINDOWS_KEPT_WHEN_FULL);
      await this.#read(write, undefined);
    }
  }

  async #dropWindows(but: number): Promise<void> {
    const { windows } = this.#database;
    await this.#read(async () => {
      await windows.bulkDelete((await windows.orderBy("usedAt").reverse().primaryKeys()).slice(but));
    }, undefined);
  }
}

/**
 * The outbox in IndexedDB. A database that fails again and again in the middle of a session (deleted by the user, disk full even after
 * the caches went) is replaced by memory, beginning with what was last known, so that nothing is lost while the page lives.
 */
class DexieOutbox implements OutboxStore {
  readonly #database: Database;
  readonly #makeRoom: () => Promise<void>;
  readonly #known = new Map<string, Entries>();
  /** Set when the store is closed on purpose, so that what comes after is not taken for a failure. */
  closed = false;
  #memory: MemoryOutbox | undefined;

  constructor(database: Database, makeRoom: () => Promise<void>) {
    this.#database = database;
    this.#makeRoom = makeRoom;
  }

  get durable(): boolean {
    return this.#memory === undefined;
  }

  async all(): Promise<Entries> {
    if (this.#memory !== undefined) return this.#memory.all();
    let entries: OutboxEntry[];
    try {
      const read = () => this.#database.outbox.orderBy("order").toArray();
      entries = await persistently(read, () => !this.closed);
    } catch (error) {
      if (this.closed) throw error;
      this.#memory = new MemoryOutbox();
      return [];
    }
    this.#known.clear();
    for (const entry of entries) this.#known.set(entry.roomId, [...(this.#known.get(entry.roomId) ?? []), entry]);
    return entries;
  }

  async update(roomId: string, change: (entries: Entries) => Entries): Promise<Entries> {
    if (this.#memory === undefined) {
      const transact = () => this.#transact(roomId, change);
      const isOpen = () => !this.closed;
      try {
        return await transact();
      } catch (error) {
        if (!isOpen()) throw error;
      }
      await this.#makeRoom();
      try {
        return await persistently(transact, isOpen);
      } catch (error) {
        if (!isOpen()) throw error;
        const known = [...this.#known.values()].flat().sort((a, b) => a.order - b.order);
        this.#memory ??= new MemoryOutbox(known);
      }
    }
    return this.#memory.update(roomId, change);
  }

  async #transact(roomId: string, change: (entries: Entries) => Entries): Promise<Entries> {
    const { outbox } = this.#database;
    const after = await this.#database.transaction("rw", outbox, async () => {
      const before = await outbox.where("roomId").equals(roomId).sortBy("order");
      const wanted = change(before);
      const kept = new Set(wanted.map((each) => each.order));
      await outbox.bulkDelete(before.flatMap((each) => (kept.has(each.order) ? [] : [each.order])));
      const written: OutboxEntry[] = [];
      for (const entry of wanted) {
        if (before.includes(entry)) written.push(entry);
        else if (entry.order > 0) written.push(await put(outbox, entry));
        else written.push(await add(outbox, entry));
      }
      return written;
    });
    this.#known.set(roomId, after);
    return after;
  }
}

async function put(outbox: Table<OutboxEntry, number>, entry: OutboxEntry): Promise<OutboxEntry> {
  await outbox.put(entry);
  return entry;
}

async function add(outbox: Table<OutboxEntry, number>, entry: OutboxEntry): Promise<OutboxEntry> {
  const unplaced: Partial<OutboxEntry> = { ...entry };
  delete unplaced.order; // the database gives it
  const order = await outbox.add(unplaced as OutboxEntry);
  return { ...entry, order };
}

/** Try some times. @throws the last error, or the first that is not worth another try */
async function persistently<T>(run: () => PromiseLike<T>, isWorthAnother: (error: unknown) => boolean): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await run();
    } catch (error) {
      if (!isWorthAnother(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return run();
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && error.name === "MissingAPIError";
}

function isQuotaError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const inner = "inner" in error && error.inner instanceof Error ? error.inner : undefined;
  return error.name === "QuotaExceededError" || inner?.name === "QuotaExceededError";
}

function rejectAfter(ms: number): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("The database does not open.")), ms));
}
