import { useEffect } from "react";
import { setBadge } from "@/lib/page-title";
import { useListedRooms } from "@/realtime";
import { waitingIn } from "../model/badge";

const ICON = "/icon.svg";
const ICON_UNREAD = "/icon-unread.svg";

/** Keep the title, the tab's icon and the app's icon telling what waits. */
export function useBadges(): void {
  const { count, unread } = waitingIn(useListedRooms());
  useEffect(() => setBadge(count, unread), [count, unread]);
  const icon = count > 0 ? ICON_UNREAD : ICON;
  useEffect(() => {
    document.querySelector('link[rel="icon"]')?.setAttribute("href", icon);
  }, [icon]);
  useEffect(
    () => () => {
      setBadge(0, false);
      document.querySelector('link[rel="icon"]')?.setAttribute("href", ICON);
    },
    [],
  );
}
