import { Phone, PhoneOff, Video } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Avatar } from "@/components/ui/avatar";
import { Button } from "@/components/ui/button";
import { announce } from "@/lib/announce";
import { useProfile, useRoom, type CallView } from "@/realtime";
import { useCallName } from "../hooks/use-call-name";
import { useRingTone } from "../hooks/use-ring-tone";
import { stopRing, want } from "../model/desk";
import { sayFarewell } from "../model/farewell";

/** Somebody calls. It takes no focus: whoever types would answer by accident. */
export function IncomingSheet({ call }: { call: CallView }) {
  const { t } = useTranslation("calls");
  const room = useRoom(call.room_id);
  const roomName = useCallName(call.room_id);
  const name = useProfile(call.started_by)?.display_name ?? roomName;
  const title = t("incoming.title", { name });
  useRingTone(call, title);
  useEffect(() => announce(title), [title]);
  const accept = (media: CallView["media"]) => want({ roomId: call.room_id, media, preview: false, answer: call });
  const decline = () => {
    stopRing(call.id);
    sayFarewell("call.decline", call.id);
  };
  return (
    <section
      role="alertdialog"
      aria-label={title}
      className="fixed start-1/2 top-[calc(env(safe-area-inset-top)+0.75rem)] z-50 w-[min(24rem,calc(100vw-1.5rem))] -translate-x-1/2 animate-fade-in rounded-lg border bg-popover p-4 text-popover-foreground shadow-lg rtl:translate-x-1/2"
    >
      <div className="flex items-center gap-3">
        <Avatar id={call.started_by} name={name} />
        <div className="min-w-0 flex-1">
          <p className="line-clamp-3 text-md font-semibold [overflow-wrap:anywhere]">{title}</p>
          <p className="truncate text-sm text-muted-foreground">
            {room?.kind === "direct" ? t(`incoming.${call.media}`) : t("incoming.inRoom", { room: roomName })}
          </p>
        </div>
      </div>
      <div className="mt-4 grid grid-cols-[repeat(auto-fit,minmax(min(8rem,100%),1fr))] gap-2">
        <Button variant={call.media === "audio" ? "primary" : "secondary"} size="lg" onClick={() => accept("audio")}>
          <Phone aria-hidden />
          {t("incoming.acceptAudio")}
        </Button>
        <Button variant="destructive" size="lg" onClick={decline}>
          <PhoneOff aria-hidden />
          {t("incoming.decline")}
        </Button>
        {call.media === "video" && (
          <Button size="lg" className="order-first col-span-full" variant="primary" onClick={() => accept("video")}>
            <Video aria-hidden />
            {t("incoming.acceptVideo")}
          </Button>
        )}
      </div>
    </section>
  );
}
