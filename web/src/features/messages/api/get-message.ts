import { http } from "@/lib/http";
import type { Message } from "@/realtime";

export function getMessage(roomId: string, messageId: string, signal: AbortSignal): Promise<Message> {
  return http.get(`/api/rooms/${roomId}/messages/${messageId}`, { signal });
}
