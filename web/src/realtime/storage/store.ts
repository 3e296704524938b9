/**
 * What the data layer keeps on the device, for one account.
 *
 * Two adapters keep these promises and pass one suite: Dexie over IndexedDB, and memory where the browser gives none.
 */

import type { Counts } from "../room-counts";
import type { SavedWindow } from "../room-window";
import type { Entries } from "../outbox-rules";
import type { NotificationLevel, Profile, RoomKind, User } from "../schema.gen";

export interface RoomRecord {
  id: string;
  name: string;
  kind: RoomKind;
  topic: string;
  role: string;
  level: NotificationLevel;
  peer?: Profile;
  counts: Counts;
  lastAt: number;
  /** The server's history that this is of. */
  epoch?: string;
}

export interface SavedDraft {
  roomId: string;
  text: string;
  /** When the user last changed it, in ms: of two devices the later change wins. */
  at: number;
  /** Whether the server has it. */
  synced: boolean;
}

export interface SavedSession {
  user: User;
  sessionId: string;
}

/**
 * The commands that the server has not acknowledged.
 *
 * Atomic: `update` reads a room's entries, in the order in which they were first written by any tab, and writes what `change` makes of
 * them; no other update of that room comes between. Durable where `durable` is true: what an `update` that resolved has written
 * survives a crash of the tab and the browser. An `update` that rejects has written nothing.
 */
export interface OutboxStore {
  all: () => Promise<Entries>;
  /** Returns the entries as they were written: with an `order` each. */
  update: (roomId: string, change: (entries: Entries) => Entries) => Promise<Entries>;
}

/**
 * Everything else is a cache: losing it costs a request. A write that fails for want of space drops the rooms used longest ago and is
 * tried once more, then given up; no method but those of `outbox` rejects.
 */
export interface LocalStore {
  /** Whether anything survives this page. */
  readonly durable: boolean;
  readonly outbox: OutboxStore;
  session: () => Promise<SavedSession | undefined>;
  saveSession: (session: SavedSession) => Promise<void>;
  rooms: () => Promise<RoomRecord[]>;
  /** Keep exactly these. */
  saveRooms: (rooms: readonly RoomRecord[]) => Promise<void>;
  window: (roomId: string) => Promise<SavedWindow | undefined>;
  /** The rooms that have a window, the one used last first. */
  windowIds: () => Promise<string[]>;
  /** Keep a window unless a later one of the same epoch is kept (another tab's), and drop those past `MAX_WINDOWS`. */
  saveWindow: (roomId: string, window: SavedWindow, usedAt: number) => Promise<void>;
  /** Forget a window, whichever is kept: it is none of the room's any more. */
  dropWindow: (roomId: string) => Promise<void>;
  profiles: () => Promise<Profile[]>;
  /** Keep these as well, at most `MAX_PROFILES` in all. */
  saveProfiles: (profiles: readonly Profile[], at: number) => Promise<void>;
  drafts: () => Promise<SavedDraft[]>;
  /** Keep a draft unless a later one is kept; an empty one that the server has is dropped. */
  saveDraft: (draft: SavedDraft) => Promise<void>;
  /** Forget everything; with `keepUnsent` all but the outbox and drafts. The store is closed afterwards. */
  wipe: (keepUnsent: boolean) => Promise<void>;
  close: () => void;
}

/** Rooms whose last messages are kept. */
export const MAX_WINDOWS = 30;

/** Messages that are kept of each. */
export const KEPT_MESSAGES = 200;

export const MAX_PROFILES = 2_000;
