import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { roomPath } from "@/lib/paths";
import { dismissToast, toast } from "@/lib/toast";
import { useStrandedRooms } from "@/realtime";

/** Says that something was not sent to a room that one is out of, and leads there: no list has the room any more. */
export function StrandedNotice() {
  return useStrandedRooms().map((roomId) => <OfRoom key={roomId} roomId={roomId} />);
}

function OfRoom({ roomId }: { roomId: string }) {
  const { t } = useTranslation("messages");
  const navigate = useNavigate();
  useEffect(() => {
    const id = `unsent ${roomId}`;
    toast(t("state.failed"), {
      id,
      kind: "error",
      description: t("refused.room_not_found"),
      duration: Infinity,
      action: { label: t("unsent.show"), run: () => void navigate(roomPath(roomId)) },
    });
    return () => dismissToast(id, { silent: true });
  }, [roomId, navigate, t]);
  return null;
}
