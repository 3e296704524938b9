/** Rooms for tests: what the server says of one, and the user's list of them with nobody around it. */

import { Updates } from "../batch";
import { Rooms, type RoomsOptions } from "../rooms";
import type { RoomSummary } from "../schema.gen";
import type { Stores } from "../stores";

export function roomSummary(changes: Partial<RoomSummary> = {}): RoomSummary {
  return {
    id: "room",
    name: "room",
    kind: "public",
    topic: "",
    role: "member",
    notify: "all",
    created_at: 0,
    joined_at: 0,
    last_at: 0,
    head: 0,
    read: 0,
    unread: 0,
    mentions: 0,
    ...changes,
  };
}

/** Ann's rooms. */
export function roomsIn(stores: Stores, changes: Partial<RoomsOptions> = {}): Rooms {
  const nothing = () => undefined;
  const options = { updates: new Updates(), me: "ann", stores, draftOf: nothing, changed: nothing, quiet: nothing };
  return new Rooms({ ...options, ...changes });
}
