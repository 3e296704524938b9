import { http } from "@/lib/http";
import type { MemberPage } from "@/realtime";

const PAGE = 100;

export function listMembers(roomId: string, cursor: string | undefined, signal: AbortSignal): Promise<MemberPage> {
  return http.get(`/api/rooms/${roomId}/members`, { query: { cursor, limit: PAGE }, signal });
}
