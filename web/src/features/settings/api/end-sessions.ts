import { http } from "@/lib/http";

export function endOneSession(sessionId: string): Promise<void> {
  return http.delete(`/api/auth/sessions/${sessionId}`);
}

export function endOtherSessions(): Promise<void> {
  return http.delete("/api/auth/sessions");
}
