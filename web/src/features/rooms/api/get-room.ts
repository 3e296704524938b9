import { http } from "@/lib/http";
import type { RoomDetails } from "@/realtime";

export function getRoom(roomId: string, signal: AbortSignal): Promise<RoomDetails> {
  return http.get(`/api/rooms/${roomId}`, { signal });
}
