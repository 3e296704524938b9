import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { DropdownMenu, DropdownMenuContent, DropdownMenuTrigger } from "@/components/ui/dropdown-menu";
import { IconButton } from "@/components/ui/icon-button";
import { useRoom, type RoomIdentity } from "@/realtime";
import { RoomMenuItems } from "./room-menu-items";

/** The menu of the open room. It comes when it is first asked for, hence open. */
export function RoomHeaderMenu({ room }: { room: RoomIdentity }) {
  const { t } = useTranslation("rooms");
  const [open, setOpen] = useState(true);
  return (
    <DropdownMenu open={open} onOpenChange={setOpen}>
      <DropdownMenuTrigger asChild>
        <IconButton label={t("menu.open")}>
          <Ellipsis />
        </IconButton>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end">
        <Items roomId={room.id} />
      </DropdownMenuContent>
    </DropdownMenu>
  );
}

/** Apart, so that only a menu that is open follows what happens in the room. */
function Items({ roomId }: { roomId: string }) {
  const room = useRoom(roomId);
  return room !== undefined && <RoomMenuItems room={room} />;
}
