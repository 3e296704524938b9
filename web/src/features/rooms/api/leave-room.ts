import { http } from "@/lib/http";

export function leaveRoom(roomId: string): Promise<void> {
  return http.post(`/api/rooms/${roomId}/leave`);
}
