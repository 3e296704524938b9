import { http } from "@/lib/http";
import type { MemberRole, RoomRole } from "@/realtime";

export function changeRole(roomId: string, userId: string, role: RoomRole): Promise<MemberRole> {
  return http.patch(`/api/rooms/${roomId}/members/${userId}`, { role });
}
