/** Rooms and people for tests. */

import type { Profile, RoomState } from "@/realtime";

export function aRoom(changes: Partial<RoomState> = {}): RoomState {
  return {
    id: "room",
    name: "room",
    kind: "public",
    topic: "",
    role: "member",
    head: 0,
    read: 0,
    unread: 0,
    mentions: 0,
    level: "all",
    lastAt: 0,
    ...changes,
  };
}

export function aPerson(name: string, changes: Partial<Profile> = {}): Profile {
  const username = name.toLowerCase();
  return { id: username, username, display_name: name, role: "member", disabled: false, ...changes };
}
