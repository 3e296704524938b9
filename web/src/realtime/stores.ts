/** What the data layer publishes; hooks.ts reads it. Maps are replaced, never changed, and keep what did not change in them. */

import { createStore, type StoreApi } from "zustand/vanilla";
import type { Profile } from "./schema.gen";
import type { Connection, Presence, RoomState, RoomsStatus, Session, Timeline } from "./types";

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

export interface Stores {
  session: StoreApi<SessionState>;
  connection: StoreApi<Connection>;
  rooms: StoreApi<RoomsState>;
  timelines: StoreApi<ReadonlyMap<string, Timeline>>;
  people: StoreApi<PeopleState>;
  /** Commands that the server has not acknowledged. */
  outbox: StoreApi<{ count: number }>;
}

export function createStores(): Stores {
  return {
    session: createStore<SessionState>(() => ({ session: null, reason: undefined })),
    connection: createStore<Connection>(() => ({ status: "signed-out" })),
    rooms: createStore<RoomsState>(noRooms),
    timelines: createStore<ReadonlyMap<string, Timeline>>(() => new Map()),
    people: createStore<PeopleState>(nobody),
    outbox: createStore<{ count: number }>(() => ({ count: 0 })),
  };
}

/** Show nothing of an account any more. */
export function clear(stores: Stores): void {
  stores.connection.setState({ status: "signed-out" }, true);
  stores.rooms.setState(noRooms(), true);
  stores.timelines.setState(new Map(), true);
  stores.people.setState(nobody(), true);
  stores.outbox.setState({ count: 0 }, true);
}

function noRooms(): RoomsState {
  return { status: "loading", rooms: new Map(), list: [], ids: [] };
}

function nobody(): PeopleState {
  return { presence: new Map(), typing: new Map(), reads: new Map(), profiles: new Map() };
}
