/** In place of "@/realtime" in tests: everybody is known, and commands are only counted. */

import { vi } from "vitest";
import type { Profile, UnsentText } from "@/realtime";
import { ROOM } from "./messages";

function person(id: string, display_name: string): Profile {
  return { id, username: id, display_name, role: "member", disabled: false };
}

export const people = new Map(
  [person("me", "Jana Weber"), person("ann", "Ann Ahlgren"), person("bob", "Bob Okafor")].map((one) => [one.id, one]),
);

const done = () => Promise.resolve("");
export const sendMessage = vi.fn(done);
export const editMessage = vi.fn(done);
export const deleteMessage = vi.fn(done);
export const addReaction = vi.fn(done);
export const removeReaction = vi.fn(done);
export const pinMessage = vi.fn(done);
export const unpinMessage = vi.fn(done);
export const retryCommand = vi.fn(done);
export const discardCommand = vi.fn(done);
export const editFailed = vi.fn(done);
export const attend = vi.fn();
export const markRead = vi.fn();
export const markUnread = vi.fn();
export const setTyping = vi.fn();
export const saveDraft = vi.fn();

export const useSession = () => ({ user: people.get("me"), sessionId: "session" });
export const useRoom = vi.fn(() => ROOM);
export const useRoomIdentity = vi.fn(() => ROOM);
export const useRoomDraft = vi.fn(() => ROOM.draft ?? "");
export const useProfile = vi.fn((id: string) => people.get(id));
export const useProfiles = (ids: readonly string[]) =>
  new Map(ids.flatMap((id) => [...people].filter(([known]) => known === id)));
export const useConnection = vi.fn(() => ({ status: "online" }));
export const useUnsentTexts = vi.fn((): readonly UnsentText[] => []);
export const useStrandedDraft = vi.fn(() => "");
export const useStrandedRooms = vi.fn((): readonly string[] => []);
export const useTimelineMessage = () => undefined;
