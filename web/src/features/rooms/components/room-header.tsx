import { Ellipsis, Info, Pin, Search, Users } from "lucide-react";
import { lazy, Suspense, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { PageHeader } from "@/components/page";
import { IconButton } from "@/components/ui/icon-button";
import { tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/cn";
import { usePanel } from "@/lib/panel";
import { useRoomName } from "@/lib/room-name";
import { useShortcut } from "@/lib/shortcuts";
import { usePresence, type RoomIdentity } from "@/realtime";
import { useFreshDetails, useRoomDetails } from "../hooks/use-room-details";
import { RoomIcon } from "./room-icon";

const RoomHeaderMenu = lazy(async () => ({ default: (await import("./room-header-menu")).RoomHeaderMenu }));

export interface RoomHeaderProps {
  room: RoomIdentity;
  /** Before the room's own buttons: calls. */
  actions?: ReactNode;
}

/** What room this is, and the ways to all that belongs to it. */
export function RoomHeader({ room, actions }: RoomHeaderProps) {
  const { t } = useTranslation("rooms");
  const { panel, toggle } = usePanel();
  const name = useRoomName()(room);
  const [menuWanted, setMenuWanted] = useState(false);
  useFreshDetails(room.id);
  useShortcut({ label: t("header.search"), group: "navigation", keys: "mod+shift+f" }, () => toggle("search"));
  useShortcut({ label: t("details.open"), group: "navigation", keys: "mod+." }, () => toggle("details"));
  const menuButton = (
    <IconButton label={t("menu.open")} onClick={() => setMenuWanted(true)}>
      <Ellipsis />
    </IconButton>
  );
  return (
    <PageHeader
      leading={<RoomIcon room={room} />}
      title={<bdi>{name}</bdi>}
      description={room.kind === "direct" ? <PeerPresence room={room} /> : <bdi>{room.topic}</bdi>}
      actions={
        <>
          {actions}
          {room.kind !== "direct" && <MembersButton roomId={room.id} />}
          <IconButton
            label={t("pins.title")}
            pressed={panel === "pins"}
            className="max-md:hidden"
            onClick={() => toggle("pins")}
          >
            <Pin />
          </IconButton>
          <IconButton
            label={t("header.search")}
            shortcut="mod+shift+f"
            pressed={panel === "search"}
            onClick={() => toggle("search")}
          >
            <Search />
          </IconButton>
          <IconButton
            label={t("details.open")}
            shortcut="mod+."
            pressed={panel === "details"}
            className="max-md:hidden"
            onClick={() => toggle("details")}
          >
            <Info />
          </IconButton>
          <Suspense fallback={menuButton}>{menuWanted ? <RoomHeaderMenu room={room} /> : menuButton}</Suspense>
        </>
      }
    />
  );
}

function PeerPresence({ room }: { room: RoomIdentity }) {
  const { t } = useTranslation();
  const presence = usePresence(room.peer?.id ?? "");
  return room.peer === undefined ? null : t(`presence.${presence}`);
}

function MembersButton({ roomId }: { roomId: string }) {
  const { t } = useTranslation("rooms");
  const { panel, toggle } = usePanel();
  const { data } = useRoomDetails(roomId);
  const label = data === undefined ? t("members.title") : t("members.count", { count: data.member_count });
  return (
    <button
      {...tooltip(t("members.title"))}
      type="button"
      aria-label={label}
      aria-pressed={panel === "members"}
      className={cn(
        "inline-flex h-8 items-center gap-1.5 rounded-sm px-2 text-sm font-medium text-muted-foreground tabular-nums transition-colors hover:bg-accent hover:text-accent-foreground max-md:hidden touch:h-10",
        panel === "members" && "bg-accent text-accent-foreground",
      )}
      onClick={() => toggle("members")}
    >
      <Users aria-hidden className="size-4.5" />
      {data?.member_count}
    </button>
  );
}
