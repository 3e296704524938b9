/** Other people: who is there, who types, how far they have read, and what they are called. */

import type { Updates } from "./batch";
import type { Http } from "./environment";
import type { Profile, UserPage } from "./schema.gen";
import type { LocalStore } from "./storage/store";
import type { Stores } from "./stores";
import type { Presence } from "./types";

export interface PeopleOptions {
  updates: Updates;
  me: string;
  http: Http;
  store: LocalStore;
  stores: Stores;
  /** Ask for the presence of exactly these from now on; rejects while offline. */
  watch: (userIds: string[]) => Promise<Record<string, string>>;
  now: () => number;
}

/** A typing notice ends by itself (docs/reference/events.md). */
const TYPING_ENDS = 6_000;
/** Changes of who is watched are told at most this often: the server allows 240 a minute. */
const WATCH_AFTER = 400;
const MAX_WATCHED = 500;
const FRESH_FOR = 600_000;
const FETCH_AFTER = 30;
const FETCH_AT_ONCE = 100;

export class People {
  readonly #options: PeopleOptions;
  readonly #watched = new Map<string, number>();
  readonly #presence = new Map<string, Presence>();
  readonly #typing = new Map<string, Map<string, ReturnType<typeof setTimeout>>>();
  readonly #reads = new Map<string, Map<string, number>>();
  readonly #profiles = new Map<string, Profile>();
  readonly #wanted = new Set<string>();
  /** When a profile was last asked for, or came with something else. */
  readonly #asked = new Map<string, number>();
  readonly #publish: () => void;
  #watching: ReturnType<typeof setTimeout> | undefined;
  #fetching: ReturnType<typeof setTimeout> | undefined;
  #told = "";

  constructor(options: PeopleOptions) {
    this.#options = options;
    this.#publish = options.updates.coalesced(() => this.flush());
  }

  async restore(): Promise<void> {
    for (const profile of await this.#options.store.profiles()) {
      if (!this.#profiles.has(profile.id)) this.#profiles.set(profile.id, profile);
    }
    this.flush();
  }

  /** The server is there again, and knows nothing of whom this socket watches. */
  ready(): void {
    this.#told = "";
    this.#watchSoon();
    if (this.#wanted.size > 0) this.#fetchSoon();
  }

  /** Nobody knows who is there any more. */
  offline(): void {
    this.#presence.clear();
    for (const timers of this.#typing.values()) for (const timer of timers.values()) clearTimeout(timer);
    this.#typing.clear();
    this.#publish();
  }

  /** Somebody looks at a user's presence. Call what is returned when they do no more. */
  watch(userId: string): () => void {
    this.#watched.set(userId, (this.#watched.get(userId) ?? 0) + 1);
    this.#watchSoon();
    return () => {
      const left = (this.#watched.get(userId) ?? 0) - 1;
      if (left > 0) this.#watched.set(userId, left);
      else this.#watched.delete(userId);
      this.#watchSoon();
    };
  }

  present(userId: string, state: string): void {
    this.#presence.set(userId, presenceOf(state));
    this.#publish();
  }

  typing(roomId: string, userId: string, on: boolean): void {
    const room = this.#typing.get(roomId) ?? new Map<string, ReturnType<typeof setTimeout>>();
    this.#typing.set(roomId, room);
    clearTimeout(room.get(userId));
    if (on)
      room.set(
        userId,
        setTimeout(() => this.typing(roomId, userId, false), TYPING_ENDS),
      );
    else if (!room.delete(userId)) return;
    if (room.size === 0) this.#typing.delete(roomId);
    this.#publish();
  }

  read(roomId: string, userId: string, seq: number): void {
    const room = this.#reads.get(roomId) ?? new Map<string, number>();
    if ((room.get(userId) ?? 0) >= seq) return;
    this.#reads.set(roomId, new Map(room).set(userId, seq));
    this.#publish();
  }

  drop(roomId: string): void {
    this.#typing.delete(roomId);
    this.#reads.delete(roomId);
    this.#publish();
  }

  /** Take profiles that came with something else. */
  know(profiles: readonly Profile[]): void {
    for (const { id } of profiles) {
      this.#asked.set(id, this.#options.now());
      this.#wanted.delete(id);
    }
    const news = profiles.filter((each) => !same(each, this.#profiles.get(each.id)));
    if (news.length === 0) return;
    for (const profile of news) {
      this.#profiles.set(profile.id, profile);
    }
    this.#publish();
    void this.#options.store.saveProfiles(news, this.#options.now());
  }

  /** A profile is to be shown: fetch it unless that was done lately; many at once are one request. */
  want(userId: string): void {
    if ((this.#asked.get(userId) ?? -Infinity) > this.#options.now() - FRESH_FOR) return;
    this.#wanted.add(userId);
    this.#fetchSoon();
  }

  close(): void {
    clearTimeout(this.#watching);
    clearTimeout(this.#fetching);
    this.offline();
  }

  /** Publish now. */
  flush(): void {
    const typing = [...this.#typing].map(([roomId, timers]) => [roomId, [...timers.keys()]] as const);
    const before = this.#options.stores.people.getState();
    this.#options.stores.people.setState(
      {
        presence: new Map(this.#presence),
        typing: new Map(typing.map(([roomId, ids]) => [roomId, kept(before.typing.get(roomId), ids)])),
        reads: new Map(this.#reads),
        profiles: new Map(this.#profiles),
      },
      true,
    );
  }

  #watchSoon(): void {
    this.#watching ??= setTimeout(() => {
      this.#watching = undefined;
      void this.#tellWatched();
    }, WATCH_AFTER);
  }

  async #tellWatched(): Promise<void> {
    const userIds = [...this.#watched.keys()].slice(0, MAX_WATCHED).sort();
    const told = userIds.join(" ");
    if (told === this.#told) return;
    try {
      const states = await this.#options.watch(userIds);
      this.#told = told;
      for (const [userId, state] of Object.entries(states)) this.#presence.set(userId, presenceOf(state));
      this.#publish();
    } catch {
      // `ready` asks again
    }
  }

  #fetchSoon(): void {
    this.#fetching ??= setTimeout(() => {
      this.#fetching = undefined;
      void this.#fetch();
    }, FETCH_AFTER);
  }

  async #fetch(): Promise<void> {
    const ids = [...this.#wanted].slice(0, FETCH_AT_ONCE);
    if (ids.length === 0) return;
    for (const id of ids) {
      this.#wanted.delete(id);
      this.#asked.set(id, this.#options.now());
    }
    try {
      const { users } = await this.#options.http.get<UserPage>("/api/users", { query: { ids: ids.join(",") } });
      this.know(users);
    } catch {
      for (const id of ids) {
        this.#asked.delete(id);
        this.#wanted.add(id); // `ready` asks again
      }
      return;
    }
    if (this.#wanted.size > 0) this.#fetchSoon();
  }
}

function presenceOf(state: string): Presence {
  return state === "online" || state === "idle" ? state : "offline";
}

function same(one: Profile, other: Profile | undefined): boolean {
  return (
    one.display_name === other?.display_name &&
    one.username === other.username &&
    one.role === other.role &&
    one.disabled === other.disabled
  );
}

function kept(before: readonly string[] | undefined, after: readonly string[]): readonly string[] {
  const unchanged = before?.length === after.length && before.every((each, index) => each === after[index]);
  return unchanged ? before : after;
}
