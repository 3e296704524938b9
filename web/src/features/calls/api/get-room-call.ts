import { http } from "@/lib/http";
import type { RoomCall } from "@/realtime";

export function getRoomCall(roomId: string, signal: AbortSignal): Promise<RoomCall> {
  return http.get(`/api/rooms/${roomId}/call`, { signal });
}
