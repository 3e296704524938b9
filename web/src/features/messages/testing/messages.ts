import type { RoomState, TimelineMessage } from "@/realtime";

export const NOON = new Date(2025, 4, 5, 12).getTime();
export const MINUTE = 60_000;

/** The message of a seq, by Ann and a minute after the one before it. */
export function message(seq: number, changes: Partial<TimelineMessage> = {}): TimelineMessage {
  return {
    type: "message",
    key: `key ${seq}`,
    id: `id ${seq}`,
    room_id: "room",
    seq,
    sender_id: "ann",
    client_id: `client ${seq}`,
    clientId: `client ${seq}`,
    at: NOON + seq * MINUTE,
    text: "Hello",
    version: seq,
    state: "sent",
    ...changes,
  };
}

export const ROOM: RoomState = {
  id: "room",
  name: "design",
  kind: "public",
  topic: "",
  role: "member",
  head: 9,
  read: 9,
  unread: 0,
  mentions: 0,
  level: "all",
  lastAt: NOON,
};
