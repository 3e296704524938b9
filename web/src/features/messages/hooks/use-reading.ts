import { useEffect, useRef } from "react";
import { attend, markRead, type RoomState } from "@/realtime";
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
  const reading = looking && !keptUnread;
  const before = useRef({ read, head });

  useEffect(() => {
    if (unread > 0 && !wasUnread.current && !looking) ui.setState({ unreadAfter: read });
    wasUnread.current = unread > 0;
  }, [unread, looking, read, ui]);

  useEffect(() => {
    const { current: known } = before;
    before.current = { read, head };
    // Marked unread, here or on another device: then it stays so until it is read there or by hand, or the room is opened anew.
    // Not so where the room itself went back, with a server that was set back to a backup.
    if (read < known.read && head >= known.head) ui.setState({ unreadAfter: read, keptUnread: true });
    else if (keptUnread && read > known.read && unread === 0) ui.setState({ keptUnread: false });
    else if (reading && read < head) markRead(roomId, head);
  }, [reading, keptUnread, read, head, unread, roomId, ui]);

  useEffect(() => {
    if (!reading) return;
    attend(roomId);
    return () => attend(undefined);
  }, [reading, roomId]);
}
