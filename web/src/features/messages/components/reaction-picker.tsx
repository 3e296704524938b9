import { lazy, memo, Suspense } from "react";
import { Popover, PopoverAnchor, PopoverContent } from "@/components/ui/popover";
import { addReaction } from "@/realtime";
import { useOpenRoom, useRoomUi } from "../model/room-ui";
import { PickerPlaceholder } from "./emoji-button";

const EmojiPicker = lazy(async () => ({ default: (await import("./emoji-picker")).EmojiPicker }));

/** The one picker of a room, opened at the message that is reacted to. */
export const ReactionPicker = memo(function ReactionPicker() {
  const { roomId, ui } = useOpenRoom();
  const picker = useRoomUi((state) => state.picker);
  if (picker === undefined) return null;
  const close = () => ui.setState({ picker: undefined });
  return (
    <Popover
      open
      onOpenChange={(open) => {
        if (!open) close();
      }}
    >
      <PopoverAnchor virtualRef={{ current: picker.anchor }} />
      <PopoverContent
        align="end"
        className="w-auto p-0"
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          // The button may be gone with the toolbar; its message is there.
          (picker.anchor.closest("article") ?? picker.anchor).focus();
        }}
      >
        <Suspense fallback={<PickerPlaceholder />}>
          <EmojiPicker
            onPick={(emoji) => {
              void addReaction(roomId, picker.message.id, emoji);
              close();
            }}
          />
        </Suspense>
      </PopoverContent>
    </Popover>
  );
});
