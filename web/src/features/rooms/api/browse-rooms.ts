import { http } from "@/lib/http";
import type { PublicRooms } from "@/realtime";

const PAGE = 50;

export function browseRooms(q: string, cursor: string | undefined, signal: AbortSignal): Promise<PublicRooms> {
  return http.get("/api/rooms/public", { query: { q: q === "" ? undefined : q, cursor, limit: PAGE }, signal });
}
