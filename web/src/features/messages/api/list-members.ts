import { http } from "@/lib/http";
import type { MemberPage } from "@/realtime";

export function listMembers(roomId: string, cursor: string | undefined, signal: AbortSignal): Promise<MemberPage> {
  return http.get(`/api/rooms/${roomId}/members`, { query: { cursor, limit: 100 }, signal });
}
