import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { AlertDialog } from "@/components/ui/alert-dialog";
import { toast } from "@/lib/toast";
import { useRoom } from "@/realtime";
import { leaveRoom } from "../api/leave-room";
import { useRoomErrorText } from "../hooks/use-room-error-text";
import { useOpenRoomId } from "../hooks/use-sections";

/** Asks before one leaves a room, and says how one comes back. */
export function LeaveDialog({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const { t } = useTranslation("rooms");
  const navigate = useNavigate();
  const room = useRoom(roomId);
  const openId = useOpenRoomId();
  const errorText = useRoomErrorText();
  const leave = useMutation({
    mutationFn: () => leaveRoom(roomId),
    onSuccess: () => {
      onClose();
      if (openId === roomId) void navigate("/");
    },
    onError: (error) => toast(errorText(error), { kind: "error" }),
  });
  return (
    <AlertDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={t("leave.question", { room: room?.name ?? "" })}
      description={t(room?.kind === "private" ? "leave.private" : "leave.public")}
      confirm={t("leave.submit")}
      destructive
      busy={leave.isPending}
      onConfirm={() => leave.mutate()}
    />
  );
}
