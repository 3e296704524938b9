import { Dialog } from "@/components/ui/dialog";
import { closeRoomDialog, useRoomDialog, type RoomDialog } from "../model/room-dialogs";
import { CreateRoomDialog } from "./create-room-dialog";
import { DirectDialog } from "./direct-dialog";
import { InviteDialog } from "./invite-dialog";
import { LeaveDialog } from "./leave-dialog";

/** Whichever dialog about rooms is open. */
export function RoomDialogs() {
  const dialog = useRoomDialog();
  if (dialog?.kind === "leave") return <LeaveDialog roomId={dialog.roomId} onClose={closeRoomDialog} />;
  return (
    <Dialog
      open={dialog !== undefined}
      onOpenChange={(open) => {
        if (!open) closeRoomDialog();
      }}
    >
      {dialog !== undefined && contentOf(dialog)}
    </Dialog>
  );
}

function contentOf(dialog: Exclude<RoomDialog, { kind: "leave" }>) {
  switch (dialog.kind) {
    case "create":
      return <CreateRoomDialog initialName={dialog.name ?? ""} onClose={closeRoomDialog} />;
    case "direct":
      return <DirectDialog onClose={closeRoomDialog} />;
    case "invite":
      return <InviteDialog roomId={dialog.roomId} onClose={closeRoomDialog} />;
  }
}
