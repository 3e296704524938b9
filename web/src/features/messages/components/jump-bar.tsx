import { ArrowDown, ArrowUp } from "lucide-react";
import { Button } from "@/components/ui/button";
import { useTexts } from "@/lib/i18n";
import { markRead, type RoomState, type Timeline } from "@/realtime";
import { useOpenRoom, useRoomUi } from "../model/room-ui";
import { isNewAbove } from "../model/rows";

export interface JumpBarProps {
  room: RoomState;
  timeline: Timeline;
  /** The end of the room is in sight. */
  live: boolean;
  onEnd: () => void;
}

/** Ways out of the middle of a room: up to the first unread message where it is far, and down to the latest. */
export function JumpBar({ room, timeline, live, onEnd }: JumpBarProps) {
  const t = useTexts("messages");
  const { ui, jumpTo } = useOpenRoom();
  const unreadAfter = useRoomUi((state) => state.unreadAfter);
  const { items, hasOlder } = timeline;
  const above = isNewAbove(items, { complete: !hasOlder, unreadAfter });
  const latest = async () => {
    await timeline.jumpToLatest();
    onEnd();
  };
  return (
    <>
      {above && unreadAfter !== undefined && (
        <div className="absolute inset-x-2 top-2 flex animate-fade-in justify-center">
          <div className="flex overflow-hidden rounded-[1.25rem] border bg-popover shadow-md">
            <Button
              variant="ghost"
              size="sm"
              className="shrink rounded-none ps-3"
              onClick={() => jumpTo(unreadAfter + 1)}
            >
              <ArrowUp aria-hidden />
              {t("unread.first")}
            </Button>
            <Button
              variant="ghost"
              size="sm"
              className="shrink rounded-none border-s pe-3"
              onClick={() => {
                ui.setState({ unreadAfter: undefined });
                markRead(room.id, room.head);
              }}
            >
              {t("unread.markRead")}
            </Button>
          </div>
        </div>
      )}
      {!live && (
        <Button
          size="sm"
          className="absolute end-5 bottom-2 animate-fade-in rounded-full shadow-md"
          variant={room.unread > 0 ? "primary" : "secondary"}
          onClick={() => void latest().catch(() => undefined)}
        >
          <ArrowDown aria-hidden />
          {room.unread > 0 ? t("jump.new", { count: room.unread }) : t("jump.latest")}
        </Button>
      )}
    </>
  );
}
