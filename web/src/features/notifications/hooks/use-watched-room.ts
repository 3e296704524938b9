import { useEffect, useState } from "react";
import { useMatch } from "react-router";
import { closeNotifications } from "@/lib/system-notifications";
import { useSession } from "@/realtime";
import { watchRoom } from "../model/one-tab";

function isLookedAt(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

/** The room that somebody looks at in this tab, told to the others; what was shown of it is taken back. */
export function useWatchedRoom(): void {
  const userId = useSession()?.user.id;
  const roomId = useMatch("/r/:roomId/*")?.params.roomId;
  const [looking, setLooking] = useState(isLookedAt);
  useEffect(() => {
    const look = () => setLooking(isLookedAt());
    window.addEventListener("focus", look);
    window.addEventListener("blur", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      window.removeEventListener("focus", look);
      window.removeEventListener("blur", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
  useEffect(() => {
    if (!looking || userId === undefined || roomId === undefined) return;
    void closeNotifications(roomId);
    return watchRoom(userId, roomId);
  }, [looking, userId, roomId]);
}
