import { expect, it } from "vitest";
import type { RoomState } from "@/realtime";
import { waitingIn } from "./badge";

const room = (changes: Partial<RoomState>): RoomState => ({
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
});

it("counts mentions, and everything in direct rooms", () => {
  const rooms = [room({ unread: 9, mentions: 2 }), room({ kind: "direct", unread: 3 })];
  expect(waitingIn(rooms)).toEqual({ count: 5, unread: true });
});

it("tells what is unread without a count, and nothing of muted rooms", () => {
  expect(waitingIn([room({ unread: 9 })])).toEqual({ count: 0, unread: true });
  expect(waitingIn([room({ unread: 9, mentions: 3, level: "none" })])).toEqual({ count: 0, unread: false });
});
