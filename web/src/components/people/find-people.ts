import { http } from "@/lib/http";
import type { UserPage } from "@/realtime";

const PAGE = 20;

/** The directory: names that begin so, or everybody. */
export function findPeople(q: string, cursor: string | undefined, signal: AbortSignal): Promise<UserPage> {
  return http.get("/api/users", { query: { q: q === "" ? undefined : q, cursor, limit: PAGE }, signal });
}
