/** What components read. Each hook renders again only when what it returns has changed. */

import { useEffect, useLayoutEffect } from "react";
import { useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";
import { clientIfAny, stores } from "./session";
import type { Profile } from "./schema.gen";
import type {
  Connection,
  ListedRoom,
  Presence,
  RoomIdentity,
  RoomState,
  RoomsStatus,
  Session,
  Timeline,
  TimelineMessage,
  UnsentText,
} from "./types";

/** Who is signed in, or null. */
export function useSession(): Session | null {
  return useStore(stores.session, (state) => state.session);
}

/** Why nobody is signed in any more: `logout`, `revoked` and what else events.md names, or a code of errors.md. */
export function useSignOutReason(): string | undefined {
  return useStore(stores.session, (state) => state.reason);
}

export function useConnection(): Connection {
  return useStore(stores.connection);
}

/** Whether what is not sent survives the page. */
export function useDurable(): boolean {
  return useStore(stores.connection, ({ durable }) => durable ?? true);
}

export function useRoomsStatus(): RoomsStatus {
  return useStore(stores.rooms, (state) => state.status);
}

/** The ids of the user's rooms, in the order of joining: for lists whose rows use `useRoom`. */
export function useRoomIds(): readonly string[] {
  return useStore(stores.rooms, (state) => state.ids);
}

/** All rooms; renders again with every change of any of them, so rather for counts than for lists. */
export function useRooms(): readonly RoomState[] {
  return useStore(stores.rooms, (state) => state.list);
}

/** The rooms for lists of them; renders again when a list would look otherwise, not with every event. */
export function useListedRooms(): readonly ListedRoom[] {
  return useStore(stores.rooms, (state) => listedOf(state.list));
}

let listed: { of: readonly RoomState[]; rooms: readonly ListedRoom[] } = { of: [], rooms: [] };

/** The same rooms as before, each the very same object, while all that a list shows of them is as it was. */
function listedOf(list: readonly RoomState[]): readonly ListedRoom[] {
  if (listed.of === list) return listed.rooms;
  const before = new Map(listed.rooms.map((room) => [room.id, room]));
  const rooms = list.map((room) => {
    const known = before.get(room.id);
    return known !== undefined && looksLike(known, room) ? known : room;
  });
  const same = rooms.length === listed.rooms.length && rooms.every((room, index) => room === listed.rooms[index]);
  listed = { of: list, rooms: same ? listed.rooms : rooms };
  return listed.rooms;
}

function looksLike(a: ListedRoom, b: ListedRoom): boolean {
  return (
    a.unread === b.unread &&
    a.mentions === b.mentions &&
    a.name === b.name &&
    a.kind === b.kind &&
    a.topic === b.topic &&
    a.peer === b.peer &&
    a.role === b.role &&
    a.level === b.level &&
    a.draft === b.draft &&
    (a.kind !== "direct" || a.lastAt === b.lastAt)
  );
}

/** Renders again with every event of the room; where `useRoomIdentity` will do, that is cheaper. */
export function useRoom(roomId: string): RoomState | undefined {
  return useStore(stores.rooms, (state) => state.rooms.get(roomId));
}

/** What a room is; what merely happens in it renders nothing. */
export function useRoomIdentity(roomId: string): RoomIdentity | undefined {
  return useStore(
    stores.rooms,
    useShallow((state) => identityOf(state.rooms.get(roomId))),
  );
}

/** What was written to a room and not sent, on any device. */
export function useRoomDraft(roomId: string): string {
  return useStore(stores.rooms, (state) => state.rooms.get(roomId)?.draft ?? "");
}

function identityOf(room: RoomState | undefined): RoomIdentity | undefined {
  if (room === undefined) return undefined;
  const { id, name, kind, topic, peer, role, level } = room;
  return { id, name, kind, topic, role, level, ...(peer === undefined ? {} : { peer }) };
}

const LOADING: Timeline = {
  items: [],
  messages: [],
  hasOlder: false,
  hasNewer: false,
  status: "loading",
  loadOlder: () => Promise.resolve(),
  loadNewer: () => Promise.resolve(),
  jumpTo: () => Promise.resolve(undefined),
  jumpToLatest: () => Promise.resolve(),
};

/** A room's messages; loads them, and keeps them up to date while mounted. Its functions stay the same for one room. */
export function useTimeline(roomId: string): Timeline {
  // Before anything is painted: what is held already takes no frame to show.
  useLayoutEffect(() => clientIfAny()?.timelines.open(roomId), [roomId]);
  return useStore(stores.timelines, (timelines) => timelines.get(roomId)) ?? LOADING;
}

/** A message of the timeline that is shown of its room; undefined where it is not in it. */
export function useTimelineMessage(roomId: string, messageId: string): TimelineMessage | undefined {
  return useStore(stores.timelines, (timelines) => {
    const timeline = timelines.get(roomId);
    return timeline === undefined ? undefined : byId(timeline).get(messageId);
  });
}

const indexes = new WeakMap<Timeline, ReadonlyMap<string, TimelineMessage>>();

function byId(timeline: Timeline): ReadonlyMap<string, TimelineMessage> {
  let index = indexes.get(timeline);
  if (index === undefined) {
    index = new Map(timeline.messages.map((each) => [each.id, each]));
    indexes.set(timeline, index);
  }
  return index;
}

/** Commands that the server has not acknowledged. */
export function useOutboxCount(): number {
  return useStore(stores.outbox, (state) => state.count);
}

const NO_TEXTS: readonly UnsentText[] = [];

/** What the user wrote to a room and the server has not taken. */
export function useUnsentTexts(roomId: string): readonly UnsentText[] {
  return useStore(stores.outbox, ({ unsent }) => unsent.get(roomId)) ?? NO_TEXTS;
}

/** The rooms that have unsent texts and that the user is not in (any more). */
export function useStrandedRooms(): readonly string[] {
  const unsent = useStore(stores.outbox, (state) => state.unsent);
  return useStore(
    stores.rooms,
    useShallow(({ status, rooms }) => (status === "ready" ? [...unsent.keys()].filter((id) => !rooms.has(id)) : [])),
  );
}

/** The draft of a room that the user is not in; that of others is `useRoomDraft`. */
export function useStrandedDraft(roomId: string): string {
  // A changed draft publishes the rooms anew, whether or not one of them is its own.
  return useStore(stores.rooms, ({ rooms }) => (rooms.has(roomId) ? "" : (clientIfAny()?.drafts.textOf(roomId) ?? "")));
}

/** A user's presence, watched while mounted. */
export function usePresence(userId: string): Presence {
  useEffect(() => clientIfAny()?.people.watch(userId), [userId]);
  return useStore(stores.people, (state) => state.presence.get(userId)) ?? "offline";
}

const NOBODY: readonly string[] = [];

/** The ids of the others who type in a room. */
export function useTyping(roomId: string): readonly string[] {
  return useStore(stores.people, (state) => state.typing.get(roomId)) ?? NOBODY;
}

const NO_READS: ReadonlyMap<string, number> = new Map();

/** Up to which seq each member has read, as far as it was told since the page was opened. */
export function useReadMarkers(roomId: string): ReadonlyMap<string, number> {
  return useStore(stores.people, (state) => state.reads.get(roomId)) ?? NO_READS;
}

/** What a user is called; undefined until it is known, and for an account that is gone. */
export function useProfile(userId: string): Profile | undefined {
  useEffect(() => clientIfAny()?.people.want(userId), [userId]);
  return useStore(stores.people, (state) => state.profiles.get(userId));
}

/** What some users are called, by id, without those that are not known. */
export function useProfiles(userIds: readonly string[]): ReadonlyMap<string, Profile> {
  const ids = userIds.join(" ");
  useEffect(() => {
    if (ids !== "") ids.split(" ").forEach((id) => clientIfAny()?.people.want(id));
  }, [ids]);
  return useStore(
    stores.people,
    useShallow(({ profiles }) => {
      const known = userIds.flatMap((id) => profiles.get(id) ?? []);
      return new Map(known.map((profile) => [profile.id, profile]));
    }),
  );
}
