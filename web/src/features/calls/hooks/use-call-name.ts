import { useRoomName } from "@/lib/room-name";
import { useRoom } from "@/realtime";

/** What a call is called: its room, or the other person of a direct one. */
export function useCallName(roomId: string): string {
  const room = useRoom(roomId);
  const nameOf = useRoomName();
  return room === undefined ? "" : nameOf(room);
}
