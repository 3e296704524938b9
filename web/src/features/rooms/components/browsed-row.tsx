import { Hash, Users } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Button } from "@/components/ui/button";
import { roomPath } from "@/lib/paths";
import type { BrowsedRoom } from "@/realtime";

export interface BrowsedRowProps {
  room: BrowsedRoom;
  busy: boolean;
  onJoin: () => void;
}

/** A public room: its name leads in where one is a member. */
export function BrowsedRow({ room, busy, onJoin }: BrowsedRowProps) {
  const { t } = useTranslation("rooms");
  return (
    <li className="flex min-h-15 flex-wrap items-center gap-x-3 gap-y-1 border-b py-2">
      <div className="flex min-w-[min(12rem,100%)] flex-1 items-center gap-3">
        <Hash aria-hidden className="size-4.5 shrink-0 text-muted-foreground" />
        <div className="min-w-0 flex-1">
          <p dir="auto" className="truncate text-md font-medium">
            {room.name}
          </p>
          <p className="flex min-w-0 items-center gap-1 text-sm text-muted-foreground">
            <Users aria-hidden className="size-3.5 shrink-0" />
            <span className="shrink-0">{t("members.count", { count: room.member_count })}</span>
            {room.topic !== "" && (
              <span dir="auto" className="truncate">
                {`· ${room.topic}`}
              </span>
            )}
          </p>
        </div>
      </div>
      {room.joined ? (
        <Button asChild variant="ghost" className="ms-auto">
          <Link to={roomPath(room.id)} aria-label={t("browse.openRoom", { room: room.name })}>
            {t("browse.open")}
          </Link>
        </Button>
      ) : (
        <Button className="ms-auto" busy={busy} aria-label={t("browse.joinRoom", { room: room.name })} onClick={onJoin}>
          {t("browse.join")}
        </Button>
      )}
    </li>
  );
}
