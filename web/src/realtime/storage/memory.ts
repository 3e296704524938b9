/** The local store of a browser that keeps nothing: a private window, or storage switched off. Gone with the page. */

import type { Entries, OutboxEntry } from "../outbox-rules";
import type { SavedWindow } from "../room-window";
import type { Profile } from "../schema.gen";
import {
  MAX_PROFILES,
  MAX_WINDOWS,
  type LocalStore,
  type OutboxStore,
  type RoomRecord,
  type SavedDraft,
  type SavedSession,
} from "./store";

/** An outbox in memory, which may begin with what was read elsewhere. */
export class MemoryOutbox implements OutboxStore {
  #entries: Entries;
  #order: number;

  constructor(entries: Entries = []) {
    this.#entries = entries;
    this.#order = Math.max(0, ...entries.map((each) => each.order));
  }

  all(): Promise<Entries> {
    return Promise.resolve(this.#entries);
  }

  update(roomId: string, change: (entries: Entries) => Entries): Promise<Entries> {
    const before = this.#entries.filter((each) => each.roomId === roomId);
    const after = change(before).map((each): OutboxEntry =>
      each.order > 0 ? each : { ...each, order: ++this.#order },
    );
    this.#entries = [...this.#entries.filter((each) => each.roomId !== roomId), ...after].sort(
      (a, b) => a.order - b.order,
    );
    return Promise.resolve(after);
  }
}

export class MemoryStore implements LocalStore {
  readonly durable = false;
  readonly outbox = new MemoryOutbox();
  #session: SavedSession | undefined;
  #rooms: readonly RoomRecord[] = [];
  readonly #windows = new Map<string, { window: SavedWindow; usedAt: number }>();
  readonly #profiles = new Map<string, Profile>();
  readonly #drafts = new Map<string, SavedDraft>();

  session(): Promise<SavedSession | undefined> {
    return Promise.resolve(this.#session);
  }

  saveSession(session: SavedSession): Promise<void> {
    this.#session = session;
    return Promise.resolve();
  }

  rooms(): Promise<RoomRecord[]> {
    return Promise.resolve([...this.#rooms]);
  }

  saveRooms(rooms: readonly RoomRecord[]): Promise<void> {
    this.#rooms = rooms;
    return Promise.resolve();
  }

  window(roomId: string): Promise<SavedWindow | undefined> {
    return Promise.resolve(this.#windows.get(roomId)?.window);
  }

  windowIds(): Promise<string[]> {
    return Promise.resolve([...this.#windows].sort(([, a], [, b]) => b.usedAt - a.usedAt).map(([id]) => id));
  }

  async saveWindow(roomId: string, window: SavedWindow, usedAt: number): Promise<void> {
    const kept = this.#windows.get(roomId)?.window;
    if (kept !== undefined && kept.epoch === window.epoch && kept.head > window.head) return;
    this.#windows.set(roomId, { window, usedAt });
    for (const id of (await this.windowIds()).slice(MAX_WINDOWS)) this.#windows.delete(id);
  }

  dropWindow(roomId: string): Promise<void> {
    this.#windows.delete(roomId);
    return Promise.resolve();
  }

  profiles(): Promise<Profile[]> {
    return Promise.resolve([...this.#profiles.values()]);
  }

  saveProfiles(profiles: readonly Profile[]): Promise<void> {
    for (const profile of profiles) {
      this.#profiles.delete(profile.id);
      this.#profiles.set(profile.id, profile);
    }
    for (const id of [...this.#profiles.keys()].slice(0, -MAX_PROFILES)) this.#profiles.delete(id);
    return Promise.resolve();
  }

  drafts(): Promise<SavedDraft[]> {
    return Promise.resolve([...this.#drafts.values()]);
  }

  saveDraft(draft: SavedDraft): Promise<void> {
    const kept = this.#drafts.get(draft.roomId);
    if (kept !== undefined && kept.at > draft.at) return Promise.resolve();
    if (draft.text === "" && draft.synced) this.#drafts.delete(draft.roomId);
    else this.#drafts.set(draft.roomId, draft);
    return Promise.resolve();
  }

  async wipe(keepUnsent: boolean): Promise<void> {
    this.#session = undefined;
    this.#rooms = [];
    this.#windows.clear();
    this.#profiles.clear();
    if (keepUnsent) return;
    this.#drafts.clear();
    const entries = await this.outbox.all();
    for (const roomId of new Set(entries.map((each) => each.roomId))) await this.outbox.update(roomId, () => []);
  }

  close(): void {
    // Nothing is held open.
  }
}
