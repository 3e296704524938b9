import { describe, expect, it } from "vitest";
import type { RoomEvent } from "@/realtime";
import { decide, type Circumstances, type Verdict } from "./decide";

const NOW = 1_750_000_000_000;

const message = (changes: Partial<Extract<RoomEvent, { type: "message.created" }>> = {}): RoomEvent => ({
  room_id: "room",
  seq: 7,
  id: "event",
  type: "message.created",
  sender_id: "bob",
  client_id: "client",
  at: NOW - 100,
  data: { text: "Hello" },
  ...changes,
});

const usual: Circumstances = { me: "ann", level: "all", watched: false, quiet: false, now: NOW };
const mentioned = { data: { text: "@ann", mentions: ["ann"] } };

const table: [name: string, verdict: Verdict, event: RoomEvent, circumstances: Partial<Circumstances>][] = [
  ["a message", "notify", message(), {}],
  ["something else", "no-message", { ...message(), type: "message.deleted", data: { message_id: "m" } }, {}],
  ["one's own message", "own", message({ sender_id: "ann" }), {}],
  ["a message that was caught up on", "old", message({ at: NOW - 600_000 }), {}],
  ["a room that one has left", "not-a-member", message(), { level: undefined }],
  ["a muted room", "muted", message(), { level: "none" }],
  ["a mention in a muted room", "muted", message(mentioned), { level: "none" }],
  ["no mention where only those count", "no-mention", message(), { level: "mentions" }],
  ["another's mention", "no-mention", message({ data: { mentions: ["chiara"] } }), { level: "mentions" }],
  ["a mention where those count", "notify", message(mentioned), { level: "mentions" }],
  ["a mention of the room", "notify", message({ data: { mentions_room: true } }), { level: "mentions" }],
  ["the room that somebody looks at", "watched", message(mentioned), { watched: true }],
  ["quiet hours", "quiet", message(mentioned), { quiet: true }],
];

describe("a notification", () => {
  it.each(table)("of %s: %s", (_, verdict, event, circumstances) => {
    expect(decide(event, { ...usual, ...circumstances })).toBe(verdict);
  });
});
