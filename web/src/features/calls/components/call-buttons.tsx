import { Phone, PhoneCall, Video } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { IconButton } from "@/components/ui/icon-button";
import { allowedInRoom } from "@/lib/permissions";
import { useConnection, useSession, type CallMedia, type RoomIdentity } from "@/realtime";
import { useRoomCall } from "../hooks/use-room-call";
import { showCall, useDesk, want } from "../model/desk";

/** In the header of a room: begin a call, join the one that goes on, or go back to one's own. */
export function CallButtons({ room }: { room: RoomIdentity }) {
  const { t } = useTranslation("calls");
  const session = useSession();
  const online = useConnection().status === "online";
  const goesOn = useRoomCall(room.id);
  const mine = useDesk(({ active }) => (active?.ended === undefined ? active?.roomId : undefined));
  const elsewhere = useDesk((desk) => desk.elsewhere);
  if (session === null || (room.kind === "direct" && room.peer === undefined)) return null;
  if (mine === room.id) {
    return (
      <Button size="sm" onClick={() => showCall("full")}>
        <PhoneCall aria-hidden />
        <span className="max-md:sr-only">{t("backToCall")}</span>
      </Button>
    );
  }
  const disabled = !online || mine !== undefined || elsewhere !== undefined;
  const begin = (media: CallMedia, preview: boolean) => want({ roomId: room.id, media, preview });
  if (goesOn) {
    return (
      <Button variant="primary" size="sm" disabled={disabled} onClick={() => begin("video", true)}>
        <PhoneCall aria-hidden />
        {t("join")}
      </Button>
    );
  }
  if (!allowedInRoom(session.user.role, room.role, "start_call")) return null;
  return (
    <>
      <IconButton label={t("start.audio")} disabled={disabled} onClick={() => begin("audio", false)}>
        <Phone />
      </IconButton>
      <IconButton label={t("start.video")} disabled={disabled} onClick={() => begin("video", true)}>
        <Video />
      </IconButton>
    </>
  );
}
