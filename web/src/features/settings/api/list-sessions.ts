import { http } from "@/lib/http";
import type { SessionList } from "@/realtime";

export function listSessions(signal: AbortSignal): Promise<SessionList> {
  return http.get("/api/auth/sessions", { signal });
}
