/** Room logs for property tests: dense from seq 1, of all types of event. */

import fc from "fast-check";
import type { Message, MessagePage, RoomEvent } from "../schema.gen";

export const ROOM = "3f0e1c52-6f0e-4b57-9a3a-0d2f6f1c2b10";
export const USERS = ["ann", "ben", "cem"] as const;

const TYPES: readonly RoomEvent["type"][] = [
  "message.created",
  "message.created",
  "message.created",
  "message.edited",
  "message.deleted",
  "reaction.added",
  "reaction.removed",
  "message.pinned",
  "message.unpinned",
  "member.joined",
  "room.updated",
];

interface Step {
  type: RoomEvent["type"];
  sender: string;
  target: number;
  word: string;
}

export function logs(bounds: { minLength?: number; maxLength?: number } = {}): fc.Arbitrary<RoomEvent[]> {
  const step: fc.Arbitrary<Step> = fc.record({
    type: fc.constantFrom(...TYPES),
    sender: fc.constantFrom(...USERS),
    target: fc.nat(40),
    word: fc.constantFrom("a", "b", "c"),
  });
  return fc
    .array(step, { maxLength: 40, ...bounds })
    .map((steps) => steps.map((each, index) => eventOf(index + 1, each)));
}

/** A log of nothing but `count` messages. */
export function messagesOnly(count: number): RoomEvent[] {
  return Array.from({ length: count }, (_, index) =>
    eventOf(index + 1, { type: "message.created", sender: "ann", target: 0, word: `message ${index + 1}` }),
  );
}

/** A page of some entries of a room, which ascend by seq. */
export function pageOf(entries: readonly (Message | RoomEvent)[], head: number): MessagePage {
  const messages: Message[] = [];
  const events: RoomEvent[] = [];
  for (const entry of entries.toReversed()) {
    if ("type" in entry) events.push(entry);
    else messages.push(entry);
  }
  return { messages, events, head };
}

export function messageId(seq: number): string {
  return `message-${seq}`;
}

function eventOf(seq: number, { type, sender, target, word }: Step): RoomEvent {
  const base = {
    room_id: ROOM,
    seq,
    id: messageId(seq),
    sender_id: sender,
    client_id: `client-${seq}`,
    at: 1000 * seq,
  };
  const message_id = messageId(seq > 1 ? (target % (seq - 1)) + 1 : 1);
  switch (type) {
    case "message.created":
      return { ...base, type, data: { text: word } };
    case "message.edited":
      return { ...base, type, data: { message_id, text: word } };
    case "reaction.added":
    case "reaction.removed":
      return { ...base, type, data: { message_id, emoji: word } };
    case "message.deleted":
    case "message.pinned":
    case "message.unpinned":
      return { ...base, type, data: { message_id } };
    case "member.joined":
      return { ...base, type, data: { user_id: sender, role: "member" } };
    case "member.left":
      return { ...base, type, data: { user_id: sender } };
    case "room.updated":
      return { ...base, type, data: { name: word } };
    case "call.started":
      return { ...base, type, data: { call_id: word, media: "video" } };
    case "call.ended": {
      const call = { call_id: word, media: "video", duration_ms: 0, missed: true, user_ids: [sender] } as const;
      return { ...base, type, data: { ...call, reason: "missed", user_ids: [sender] } };
    }
  }
}
