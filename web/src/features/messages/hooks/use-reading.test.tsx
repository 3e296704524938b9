import { beforeEach, expect, it, vi } from "vitest";
import type { RoomState } from "@/realtime";
import { renderInRoom } from "../testing/in-room";
import { ROOM } from "../testing/messages";
import * as realtime from "../testing/realtime";
import { useReading } from "./use-reading";

vi.mock("@/realtime", () => import("../testing/realtime"));
vi.mock("./use-attending", () => ({ useAttending: () => page.attending }));

/** Whether somebody is looking at the page. */
const page = { attending: true };

beforeEach(() => {
  vi.clearAllMocks();
  page.attending = true;
});

function Reader({ room, atEnd }: { room: RoomState; atEnd: boolean }) {
  useReading(room, atEnd);
  return null;
}

/** Somebody who looks at the end of a room of which all is read. */
function look() {
  const { rerender, unmount, room } = renderInRoom(<Reader room={ROOM} atEnd />);
  const becomes = (changes: Partial<RoomState>, atEnd = true) =>
    rerender(<Reader room={{ ...ROOM, ...changes }} atEnd={atEnd} />);
  return { becomes, unmount, ui: room.ui };
}

/** Where somebody looks, as the data layer was told last. */
const attended = () => realtime.attend.mock.lastCall?.[0] as string | undefined;

it("reads what comes", () => {
  look().becomes({ head: 10, unread: 1 });
  expect(realtime.markRead.mock.calls).toEqual([["room", 10]]);
});

it("leaves a room unread that was marked so, also when more comes, and when it is marked from later on", () => {
  const { becomes } = look();
  becomes({ read: 4, unread: 5 });
  becomes({ read: 4, head: 10, unread: 6 });
  becomes({ read: 7, head: 10, unread: 3 });
  becomes({ read: 7, head: 11, unread: 4 });
  expect(realtime.markRead).not.toHaveBeenCalled();
});

it("reads what comes once such a room was read on another device", () => {
  const { becomes, ui } = look();
  becomes({ read: 4, unread: 5 });
  expect(ui.getState()).toMatchObject({ unreadAfter: 4, keptUnread: true });
  becomes({ read: 9, unread: 0 });
  expect(realtime.markRead).not.toHaveBeenCalled();
  becomes({ read: 9, head: 10, unread: 1 });
  expect(realtime.markRead.mock.calls).toEqual([["room", 10]]);
});

it("takes a server that was set back to a backup for no mark", () => {
  const { becomes, ui } = look();
  becomes({ read: 4, head: 5, unread: 1 });
  expect(ui.getState().keptUnread).toBe(false);
  expect(realtime.markRead.mock.calls).toEqual([["room", 5]]);
});

it("says that somebody looks at the end of the room, once, until they scroll away, look away or leave it", () => {
  const { becomes, unmount } = look();
  becomes({ head: 10, unread: 1 });
  becomes({ head: 10, read: 10 });
  expect(realtime.attend.mock.calls).toEqual([["room"]]);
  becomes({ head: 10, read: 10 }, false);
  expect(attended()).toBeUndefined();
  becomes({ head: 10, read: 10 });
  expect(attended()).toBe("room");
  page.attending = false;
  becomes({ head: 10, read: 10 });
  expect(attended()).toBeUndefined();
  page.attending = true;
  becomes({ head: 10, read: 10 });
  expect(attended()).toBe("room");
  unmount();
  expect(attended()).toBeUndefined();
});

it("says that nobody does while the room is kept unread", () => {
  const { becomes } = look();
  becomes({ read: 4, unread: 5 });
  expect(attended()).toBeUndefined();
  becomes({ read: 9, unread: 0 });
  expect(attended()).toBe("room");
});
