/** What the data layer publishes; hooks.ts reads it. Maps are replaced, never changed, and keep what did not change in them. */

import { createStore, type StoreApi } from "zustand/vanilla";
import type { Profile } from "./schema.gen";
import type { Connection, Presence, RoomState, RoomsStatus, Session, Timeline, UnsentText } from "./types";

/** ms that a page with nothing to show waits for its rooms before it shows that. */
const FIRST_ROOMS_WITHIN = 1_000;

export interface SessionState {
  session: Session | null;
  /** Why there is none any more: as `session.revoked` says it, or a code of errors.md; undefined before anybody signed in. */
  reason: string | undefined;
}

export interface RoomsState {
  status: RoomsStatus;
  rooms: ReadonlyMap<string, RoomState>;
  /** All of them, in the order of joining. */
  list: readonly RoomState[];
  /** Their ids; the same array while no room comes or goes. */
  ids: readonly string[];
}

export interface PeopleState {
  presence: ReadonlyMap<string, Presence>;
  /** Who types, by room. */
  typing: ReadonlyMap<string, readonly string[]>;
  /** How far each member has read, by room. */
  reads: ReadonlyMap<string, ReadonlyMap<string, number>>;
  profiles: ReadonlyMap<string, Profile>;
}

export interface OutboxState {
  /** Commands that the server has not acknowledged. */
  count: number;
  /** The texts among them, by room. */
  unsent: ReadonlyMap<string, readonly UnsentText[]>;
}

export interface Stores {
  session: StoreApi<SessionState>;
  connection: StoreApi<Connection>;
  rooms: StoreApi<RoomsState>;
  timelines: StoreApi<ReadonlyMap<string, Timeline>>;
  people: StoreApi<PeopleState>;
  outbox: StoreApi<OutboxState>;
}

export function createStores(): Stores {
  return {
    session: createStore<SessionState>(() => ({ session: null, reason: undefined })),
    connection: createStore<Connection>(() => ({ status: "signed-out" })),
    rooms: createStore<RoomsState>(noRooms),
    timelines: createStore<ReadonlyMap<string, Timeline>>(() => new Map()),
    people: createStore<PeopleState>(nobody),
    outbox: createStore<OutboxState>(nothingUnsent),
  };
}

/** Show nothing of an account any more. */
export function clear(stores: Stores): void {
  stores.connection.setState({ status: "signed-out" }, true);
  stores.rooms.setState(noRooms(), true);
  stores.timelines.setState(new Map(), true);
  stores.people.setState(nobody(), true);
  stores.outbox.setState(nothingUnsent(), true);
}

/** Show what a room's texts are that are not sent, and how many commands wait in all. */
export function publishUnsent({ outbox }: Stores, count: number, roomId: string, texts: readonly UnsentText[]): void {
  const { unsent } = outbox.getState();
  if (texts.length === 0 && !unsent.has(roomId)) {
    outbox.setState({ count });
    return;
  }
  const after = new Map(unsent);
  if (texts.length > 0) after.set(roomId, texts);
  else after.delete(roomId);
  outbox.setState({ count, unsent: after });
}

/** Resolves once it is known what rooms there are, and no later than after a second. */
export function firstRooms({ rooms }: Stores): Promise<void> {
  return new Promise((resolve) => {
    const known = () => {
      unsubscribe();
      clearTimeout(late);
      resolve();
    };
    const unsubscribe = rooms.subscribe(({ status }) => {
      if (status !== "loading") known();
    });
    const late = setTimeout(known, FIRST_ROOMS_WITHIN);
  });
}

function noRooms(): RoomsState {
  return { status: "loading", rooms: new Map(), list: [], ids: [] };
}

function nothingUnsent(): OutboxState {
  return { count: 0, unsent: new Map() };
}

function nobody(): PeopleState {
  return { presence: new Map(), typing: new Map(), reads: new Map(), profiles: new Map() };
}
