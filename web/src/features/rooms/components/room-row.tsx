import { BellOff, Pencil } from "lucide-react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { NavLink } from "react-router";
import { Badge } from "@/components/ui/badge";
import { cn } from "@/lib/cn";
import { roomPath } from "@/lib/paths";
import { useRoomName } from "@/lib/room-name";
import type { ListedRoom } from "@/realtime";
import { badgeCount, isUnread } from "../model/sections";
import { RoomIcon } from "./room-icon";

export interface RoomRowProps {
  room: ListedRoom;
  /** The one of the list that Tab reaches; arrow keys reach the others. */
  tabbable: boolean;
}

/** A room in the sidebar. An event of one room renders this one row. */
export const RoomRow = memo(function RoomRow({ room, tabbable }: RoomRowProps) {
  const { t } = useTranslation("rooms");
  const name = useRoomName()(room);
  const unread = isUnread(room);
  const muted = room.level === "none";
  const count = badgeCount(room);
  return (
    <NavLink
      to={roomPath(room.id)}
      data-room={room.id}
      tabIndex={tabbable ? 0 : -1}
      draggable={false}
      className={({ isActive }) =>
        cn(
          "group flex h-7.5 items-center gap-2 rounded-sm px-2 select-none touch:h-11 compact:h-6.5",
          "hover:bg-sidebar-accent focus-visible:-outline-offset-2",
          muted && !unread && "text-sidebar-muted",
          unread && "font-semibold text-sidebar-accent-foreground",
          isActive && "bg-selected text-selected-foreground [--ground:var(--selected)] hover:bg-selected",
        )
      }
    >
      {({ isActive }) => (
        <>
          <RoomIcon room={room} />
          <span className="flex min-w-0 flex-1">
            <bdi className="truncate">{name}</bdi>
          </span>
          {unread && <span className="sr-only">{t("row.unread")}</span>}
          {room.draft !== undefined && room.draft !== "" && !isActive && (
            <Pencil role="img" aria-label={t("row.draft")} className="size-3.5 shrink-0 text-sidebar-muted" />
          )}
          {muted && <BellOff role="img" aria-label={t("row.muted")} className="size-3.5 shrink-0 text-sidebar-muted" />}
          {count > 0 && (
            <Badge variant="mention">
              <span aria-hidden>{count > 99 ? "99+" : count}</span>
              <span className="sr-only">{t(room.kind === "direct" ? "row.messages" : "row.mentions", { count })}</span>
            </Badge>
          )}
        </>
      )}
    </NavLink>
  );
});
