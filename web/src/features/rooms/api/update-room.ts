import { http } from "@/lib/http";
import type { RoomChanges, RoomDetails } from "@/realtime";

export function updateRoom(roomId: string, changes: RoomChanges): Promise<RoomDetails> {
  return http.patch(`/api/rooms/${roomId}`, changes);
}
