import { DropdownMenu, DropdownMenuContent, DropdownMenuTrigger } from "@/components/ui/dropdown-menu";
import { useRoom } from "@/realtime";
import { RoomMenuItems } from "./room-menu-items";

export interface RoomMenuPlace {
  roomId: string;
  /** What it was opened on; gets the focus back. */
  row: HTMLElement;
  x: number;
  y: number;
}

/** The menu of a room in the sidebar, where it was asked for. One for the whole list, not one each. */
export function RoomContextMenu({ place, onClose }: { place: RoomMenuPlace; onClose: () => void }) {
  const room = useRoom(place.roomId);
  if (room === undefined) return null;
  return (
    <DropdownMenu
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <DropdownMenuTrigger asChild>
        <span aria-hidden className="pointer-events-none fixed size-0" style={{ left: place.x, top: place.y }} />
      </DropdownMenuTrigger>
      <DropdownMenuContent
        align="start"
        sideOffset={2}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          place.row.focus();
        }}
      >
        <RoomMenuItems room={room} />
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
