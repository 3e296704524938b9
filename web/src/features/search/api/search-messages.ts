import { http } from "@/lib/http";
import type { Hits } from "@/realtime";
import { queryOf, type Filters } from "../model/filters";

const PAGE = 20;

/** A page of the messages that match, best first. */
export function searchMessages(filters: Filters, cursor: string | undefined, signal: AbortSignal): Promise<Hits> {
  return http.get("/api/search", { query: { ...queryOf(filters), cursor, limit: PAGE }, signal });
}
