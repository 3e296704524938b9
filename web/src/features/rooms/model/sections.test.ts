import { describe, expect, it } from "vitest";
import { aRoom } from "../testing/rooms";
import { badgeCount, isUnread, neighbour, sectionsOf } from "./sections";

const options = {
  collapsed: { channels: false, directs: false },
  openId: undefined,
  compare: new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare,
};

const ids = (rooms: readonly { id: string }[]) => rooms.map((room) => room.id);

describe("sections", () => {
  const rooms = [
    aRoom({ id: "b", name: "beta" }),
    aRoom({ id: "m", name: "aardvark", level: "none" }),
    aRoom({ id: "d1", kind: "direct", lastAt: 1 }),
    aRoom({ id: "a", name: "Alpha" }),
    aRoom({ id: "d2", kind: "direct", lastAt: 2 }),
  ];

  it("order channels by name with the muted last, and direct rooms by what happened last", () => {
    const [channels, directs] = sectionsOf(rooms, options);
    expect(ids(channels!.shown)).toEqual(["a", "b", "m"]);
    expect(ids(directs!.shown)).toEqual(["d2", "d1"]);
  });

  it("show the open and the unread rooms while collapsed", () => {
    const some = [...rooms, aRoom({ id: "u", name: "unread", unread: 3 })];
    const [channels] = sectionsOf(some, { ...options, collapsed: { channels: true, directs: false }, openId: "b" });
    expect(ids(channels!.shown)).toEqual(["b", "u"]);
    expect(channels!.hidden).toBe(2);
  });
});

describe("a muted room", () => {
  it("is unread only when it mentions one, and has no badge", () => {
    expect(isUnread(aRoom({ level: "none", unread: 5 }))).toBe(false);
    expect(isUnread(aRoom({ level: "none", unread: 5, mentions: 1 }))).toBe(true);
    expect(badgeCount(aRoom({ level: "none", unread: 5, mentions: 1 }))).toBe(0);
  });
});

it("counts everything in a direct room, and mentions elsewhere", () => {
  expect(badgeCount(aRoom({ kind: "direct", unread: 4 }))).toBe(4);
  expect(badgeCount(aRoom({ unread: 4, mentions: 1 }))).toBe(1);
});

describe("moving between rooms", () => {
  const rooms = [aRoom({ id: "1" }), aRoom({ id: "2", unread: 1 }), aRoom({ id: "3" })];

  it("goes around the ends", () => {
    expect(neighbour(rooms, "3", 1)?.id).toBe("1");
    expect(neighbour(rooms, "1", -1)?.id).toBe("3");
  });

  it("starts at the first or the last where none is open", () => {
    expect(neighbour(rooms, undefined, 1)?.id).toBe("1");
    expect(neighbour(rooms, undefined, -1)?.id).toBe("3");
  });

  it("skips what is not wanted, and stays where nothing is", () => {
    expect(neighbour(rooms, "3", 1, isUnread)?.id).toBe("2");
    expect(neighbour(rooms, "2", 1, isUnread)).toBeUndefined();
    expect(neighbour([], undefined, 1)).toBeUndefined();
  });
});
