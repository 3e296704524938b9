import { AtSign, Bell, BellOff, CheckCheck, Info, Link2, LogOut, UserPlus } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import {
  DropdownMenuItem,
  DropdownMenuRadioGroup,
  DropdownMenuRadioItem,
  DropdownMenuSeparator,
  DropdownMenuSub,
  DropdownMenuSubContent,
  DropdownMenuSubTrigger,
} from "@/components/ui/dropdown-menu";
import { roomPath } from "@/lib/paths";
import { allowedInRoom } from "@/lib/permissions";
import { toast } from "@/lib/toast";
import { markRead, useSession, type NotificationLevel, type RoomState } from "@/realtime";
import { useSetLevel } from "../hooks/use-set-level";
import { openRoomDialog } from "../model/room-dialogs";

export const LEVELS: readonly NotificationLevel[] = ["all", "mentions", "none"];

export const LEVEL_ICONS = { all: Bell, mentions: AtSign, none: BellOff } as const;

/** What one can do with a room, as entries of a dropdown menu. */
export function RoomMenuItems({ room }: { room: RoomState }) {
  const { t } = useTranslation("rooms");
  const navigate = useNavigate();
  const role = useSession()?.user.role ?? "guest";
  const setLevel = useSetLevel(room.id);
  const path = roomPath(room.id);
  const direct = room.kind === "direct";
  const copy = () => {
    void navigator.clipboard.writeText(new URL(path, window.location.origin).href).then(
      () => toast(t("menu.copied"), { kind: "success" }),
      () => toast(t("menu.notCopied"), { kind: "error" }),
    );
  };
  const LevelIcon = LEVEL_ICONS[room.level];
  return (
    <>
      {(room.unread > 0 || room.mentions > 0) && (
        <DropdownMenuItem onSelect={() => markRead(room.id, room.head)}>
          <CheckCheck aria-hidden />
          {t("menu.markRead")}
        </DropdownMenuItem>
      )}
      <DropdownMenuSub>
        <DropdownMenuSubTrigger>
          <LevelIcon aria-hidden />
          {t("level.title")}
        </DropdownMenuSubTrigger>
        <DropdownMenuSubContent>
          <DropdownMenuRadioGroup
            value={room.level}
            onValueChange={(level) => setLevel.mutate(level as NotificationLevel)}
          >
            {LEVELS.map((level) => (
              <DropdownMenuRadioItem key={level} value={level}>
                {t(`level.${level}`)}
              </DropdownMenuRadioItem>
            ))}
          </DropdownMenuRadioGroup>
        </DropdownMenuSubContent>
      </DropdownMenuSub>
      <DropdownMenuItem onSelect={copy}>
        <Link2 aria-hidden />
        {t("menu.copyLink")}
      </DropdownMenuItem>
      <DropdownMenuItem onSelect={() => void navigate(`${path}?panel=details`)}>
        <Info aria-hidden />
        {t("details.open")}
      </DropdownMenuItem>
      {!direct && allowedInRoom(role, room.role, "invite") && (
        <DropdownMenuItem onSelect={() => openRoomDialog({ kind: "invite", roomId: room.id })}>
          <UserPlus aria-hidden />
          {t("invite.title")}
        </DropdownMenuItem>
      )}
      {!direct && (
        <>
          <DropdownMenuSeparator />
          <DropdownMenuItem destructive onSelect={() => openRoomDialog({ kind: "leave", roomId: room.id })}>
            <LogOut aria-hidden className="rtl:rotate-180" />
            {t("leave.title")}
          </DropdownMenuItem>
        </>
      )}
    </>
  );
}
