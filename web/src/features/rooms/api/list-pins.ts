import { http } from "@/lib/http";
import type { Pins } from "@/realtime";

export function listPins(roomId: string, signal: AbortSignal): Promise<Pins> {
  return http.get(`/api/rooms/${roomId}/pins`, { signal });
}
