import { http } from "@/lib/http";
import type { RoomSummary } from "@/realtime";

export function joinRoom(roomId: string): Promise<RoomSummary> {
  return http.post(`/api/rooms/${roomId}/join`);
}
