import { http } from "@/lib/http";
import type { ListedMember } from "@/realtime";

export function addMember(roomId: string, userId: string): Promise<ListedMember> {
  return http.post(`/api/rooms/${roomId}/members`, { user_id: userId });
}
