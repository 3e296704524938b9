import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { DropdownMenu, DropdownMenuContent, DropdownMenuTrigger } from "@/components/ui/dropdown-menu";
import { IconButton } from "@/components/ui/icon-button";
import type { RoomState } from "@/realtime";
import { RoomMenuItems } from "./room-menu-items";

/** The menu of the open room. It comes when it is first asked for, hence open. */
export function RoomHeaderMenu({ room }: { room: RoomState }) {
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
        <RoomMenuItems room={room} />
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
