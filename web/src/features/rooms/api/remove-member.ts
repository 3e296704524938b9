import { http } from "@/lib/http";

export function removeMember(roomId: string, userId: string): Promise<void> {
  return http.delete(`/api/rooms/${roomId}/members/${userId}`);
}
