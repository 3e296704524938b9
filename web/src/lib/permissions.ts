/**
 * Who may do what: the table of src/parlour/platform/permissions.py. The server decides; this only keeps what it would refuse out of
 * sight.
 */

import type { Role, RoomRole } from "@/realtime";

export type RoomPermission =
  | "send"
  | "react"
  | "delete_any"
  | "pin"
  | "mention_room"
  | "invite"
  | "remove_member"
  | "update_room"
  | "change_room_roles"
  | "start_call"
  | "remove_from_call";

const GUEST: readonly RoomPermission[] = ["send", "react"];
const MEMBER: readonly RoomPermission[] = [...GUEST, "pin", "mention_room", "invite", "start_call"];
const MODERATOR: readonly RoomPermission[] = [
  ...MEMBER,
  "delete_any",
  "remove_member",
  "update_room",
  "remove_from_call",
];
const OWNER: readonly RoomPermission[] = [...MODERATOR, "change_room_roles"];

const IN_ROOM: Readonly<Record<string, readonly RoomPermission[] | undefined>> = {
  guest: GUEST,
  member: MEMBER,
  moderator: MODERATOR,
  owner: OWNER,
} satisfies Record<RoomRole, readonly RoomPermission[]>;

/** A server's staff moderates every room that it is a member of. */
const RAISED: Readonly<Record<string, readonly RoomPermission[] | undefined>> = {
  owner: OWNER,
  admin: OWNER,
  moderator: MODERATOR,
} satisfies Partial<Record<Role, readonly RoomPermission[]>>;

/** Whether a user of this role may create, browse and join rooms, see the directory and write to somebody directly. */
export function allowedOnServer(role: string): boolean {
  return role !== "guest";
}

/** Whether a member of this role in the room may do it there. A guest of the server is a guest in every room. */
export function allowedInRoom(role: string, roomRole: string, permission: RoomPermission): boolean {
  if (role === "guest") return GUEST.includes(permission);
  return IN_ROOM[roomRole]?.includes(permission) === true || RAISED[role]?.includes(permission) === true;
}
