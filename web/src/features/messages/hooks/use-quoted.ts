import { useQuery } from "@tanstack/react-query";
import { ApiError } from "@/lib/http";
import { useTimelineMessage, type Message } from "@/realtime";
import { getMessage } from "../api/get-message";

/** A message by its id, from the open timeline or else from the server; null where there is none, undefined until it is known. */
export function useQuoted(roomId: string, messageId: string): Message | null | undefined {
  const held = useTimelineMessage(roomId, messageId);
  const { data } = useQuery({
    queryKey: ["room", roomId, "message", messageId],
    enabled: held === undefined,
    staleTime: 5 * 60_000,
    queryFn: async ({ signal }) => {
      try {
        return await getMessage(roomId, messageId, signal);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
  });
  return held ?? data;
}
