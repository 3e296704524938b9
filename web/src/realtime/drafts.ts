/** Unsent texts by room: on the device at once, on the server a moment later, from other devices when they are fetched. */

import type { Http } from "./environment";
import type { AllDrafts } from "./schema.gen";
import type { LocalStore, SavedDraft } from "./storage/store";

/** Where texts go that the device has not taken when the page is left: written at once, which its database is not. */
export interface Noted {
  /** What was written, by this code or another; null where nothing was. */
  read: () => unknown;
  /** Nothing of what was written before stays; other tabs write there too. */
  write: (drafts: readonly SavedDraft[]) => void;
}

export interface DraftsOptions {
  http: Http;
  store: LocalStore;
  noted: Noted;
  online: () => boolean;
  /** Whether the user is in a room. The server has no drafts of others: what was written there is kept here. */
  isMember: (roomId: string) => boolean;
  /** A room's draft is another one. */
  changed: (roomId: string) => void;
  /** The user has written something that other tabs have not read. */
  written: (draft: SavedDraft) => void;
  now: () => number;
}

/** Ms without a change after which a draft goes to the server: its rate is 240 a minute. */
const SEND_AFTER = 1_500;
const SAVE_AFTER = 250;

export class Drafts {
  readonly #options: DraftsOptions;
  readonly #drafts = new Map<string, SavedDraft>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** Rooms of which the store has not taken what was written last. */
  readonly #unsaved = new Set<string>();

  constructor(options: DraftsOptions) {
    this.#options = options;
  }

  async restore(): Promise<void> {
    const { store, noted } = this.#options;
    for (const draft of await store.drafts()) this.take(draft);
    for (const draft of draftsOf(noted.read())) {
      const known = this.#drafts.get(draft.roomId);
      if (known === undefined || known.at < draft.at) {
        this.#drafts.set(draft.roomId, draft);
        this.#options.changed(draft.roomId);
        await store.saveDraft(draft);
      }
      this.#unnote(draft.roomId, draft.at);
    }
  }

  textOf(roomId: string): string | undefined {
    const text = this.#drafts.get(roomId)?.text;
    return text === "" ? undefined : text;
  }

  /** The user has changed a draft. */
  write(roomId: string, text: string): void {
    if ((this.#drafts.get(roomId)?.text ?? "") === text) return;
    const draft: SavedDraft = { roomId, text, at: this.#options.now(), synced: false };
    this.#drafts.set(roomId, draft);
    this.#unsaved.add(roomId);
    this.#options.changed(roomId);
    // What was sent must not come back with a page that is loaded at once.
    this.#later(`save ${roomId}`, text === "" ? 0 : SAVE_AFTER, () => this.#save(roomId));
    this.#later(`send ${roomId}`, SEND_AFTER, () => this.#send(roomId));
  }

  /** A draft of another tab, or of before. The later change wins. */
  take(draft: SavedDraft): void {
    const known = this.#drafts.get(draft.roomId);
    if (known !== undefined && known.at >= draft.at) return;
    this.#drafts.set(draft.roomId, draft);
    this.#unsaved.delete(draft.roomId);
    this.#unnote(draft.roomId, draft.at);
    this.#options.changed(draft.roomId);
  }

  /** The server is there again: send what it has not, fetch what other devices have. */
  async ready(): Promise<void> {
    for (const { roomId, synced } of this.#drafts.values()) if (!synced) await this.#send(roomId);
    const { drafts } = await this.#options.http.get<AllDrafts>("/api/drafts");
    for (const { room_id, text, at } of drafts) {
      const draft: SavedDraft = { roomId: room_id, text, at, synced: true };
      this.take(draft);
      await this.#options.store.saveDraft(draft);
    }
    // What the server has no more was sent or emptied on another device.
    const there = new Set(drafts.map((each) => each.room_id));
    for (const draft of [...this.#drafts.values()]) {
      if (!draft.synced || there.has(draft.roomId) || !this.#options.isMember(draft.roomId)) continue;
      this.#drafts.delete(draft.roomId);
      this.#options.changed(draft.roomId);
      await this.#options.store.saveDraft({ ...draft, text: "" });
    }
  }

  /** Write down what waits: the page may go. */
  async flush(): Promise<void> {
    for (const roomId of this.#drafts.keys()) {
      if (this.#timers.has(`save ${roomId}`)) await this.#save(roomId);
    }
  }

  /** The page goes, perhaps before the store has taken what was written: note it for the next one, beside what other tabs have noted. */
  keep(): void {
    const drafts = [...this.#unsaved].flatMap((roomId) => this.#drafts.get(roomId) ?? []);
    if (drafts.length === 0) return;
    const latest = new Map<string, SavedDraft>();
    for (const draft of [...draftsOf(this.#options.noted.read()), ...drafts]) {
      const other = latest.get(draft.roomId);
      if (other === undefined || other.at <= draft.at) latest.set(draft.roomId, draft);
    }
    this.#options.noted.write([...latest.values()]);
  }

  close(): void {
    for (const roomId of this.#drafts.keys()) this.#cancel(roomId);
  }

  async #save(roomId: string): Promise<void> {
    const draft = this.#drafts.get(roomId);
    if (draft === undefined) return;
    this.#options.written(draft);
    await this.#options.store.saveDraft(draft);
    const now = this.#drafts.get(roomId);
    if (now === undefined || now.at === draft.at) this.#unsaved.delete(roomId);
    this.#unnote(roomId, draft.at);
  }

  /** What was noted of a room, by this tab or another, up to `at` is kept elsewhere or was written over. */
  #unnote(roomId: string, at: number): void {
    const { noted } = this.#options;
    const drafts = draftsOf(noted.read());
    const others = drafts.filter((each) => each.roomId !== roomId || each.at > at);
    if (others.length < drafts.length) noted.write(others);
  }

  async #send(roomId: string): Promise<void> {
    const { online, isMember } = this.#options;
    const draft = this.#drafts.get(roomId);
    if (draft === undefined || draft.synced || !online() || !isMember(roomId)) return;
    const { text, at } = draft;
    try {
      await this.#options.http.put(`/api/rooms/${roomId}/draft`, { text, at });
    } catch {
      return; // the next change or the next connection sends it
    }
    if (this.#drafts.get(roomId) !== draft) return;
    const synced = { ...draft, synced: true };
    if (text === "") this.#drafts.delete(roomId);
    else this.#drafts.set(roomId, synced);
    await this.#options.store.saveDraft(synced);
  }

  #later(name: string, ms: number, run: () => Promise<void>): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(
      name,
      setTimeout(() => {
        this.#timers.delete(name);
        void run();
      }, ms),
    );
  }

  #cancel(roomId: string): void {
    for (const name of [`save ${roomId}`, `send ${roomId}`]) {
      clearTimeout(this.#timers.get(name));
      this.#timers.delete(name);
    }
  }
}

/** What was noted, by this code or another. */
function draftsOf(noted: unknown): SavedDraft[] {
  return Array.isArray(noted) ? noted.filter(isDraft) : [];
}

function isDraft(value: unknown): value is SavedDraft {
  if (typeof value !== "object" || value === null) return false;
  const { roomId, text, at, synced } = value as Partial<Record<keyof SavedDraft, unknown>>;
  return typeof roomId === "string" && typeof text === "string" && typeof at === "number" && synced === false;
}
