import { useEffect, useRef } from "react";
import { markRead, type RoomState } from "@/realtime";
import { useOpenRoom, useRoomUi } from "../model/room-ui";
import { useAttending } from "./use-attending";

/**
 * Moves the read marker while somebody looks at the end of the room. The line "New" stays where it was when they came, and moves to
 * where they stopped looking once something comes meanwhile.
 */
export function useReading({ read, head, unread }: RoomState, atEnd: boolean): void {
  const { roomId, ui } = useOpenRoom();
  const keptUnread = useRoomUi((state) => state.keptUnread);
  const looking = useAttending() && atEnd;
  const wasUnread = useRef(unread > 0);
  const readBefore = useRef(read);

  useEffect(() => {
    if (unread > 0 && !wasUnread.current && !looking) ui.setState({ unreadAfter: read });
    wasUnread.current = unread > 0;
  }, [unread, looking, read, ui]);

  useEffect(() => {
    // Marked unread, here or on another device: then it stays so until the room is opened anew.
    const back = read < readBefore.current;
    readBefore.current = read;
    if (back) ui.setState({ unreadAfter: read, keptUnread: true });
    else if (looking && !keptUnread && read < head) markRead(roomId, head);
  }, [looking, keptUnread, read, head, roomId, ui]);
}
