import { useMutation } from "@tanstack/react-query";
import { useErrorText } from "@/lib/error-text";
import { toast } from "@/lib/toast";
import { setNotificationLevel, type NotificationLevel } from "@/realtime";

/** Choose what of a room is worth a notification. */
export function useSetLevel(roomId: string) {
  const errorText = useErrorText();
  return useMutation({
    mutationFn: (level: NotificationLevel) => setNotificationLevel(roomId, level),
    onError: (error) => toast(errorText(error), { kind: "error" }),
  });
}
