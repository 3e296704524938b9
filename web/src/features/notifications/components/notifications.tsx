import { useEffect } from "react";
import { followOtherTabs } from "@/lib/notification-preferences";
import { useBadges } from "../hooks/use-badges";
import { useMessageNotifications } from "../hooks/use-message-notifications";
import { useWatchedRoom } from "../hooks/use-watched-room";

/** Once in the signed-in app, showing nothing: tells of messages by notification, sound, title and badge. */
export function Notifications() {
  useBadges();
  useWatchedRoom();
  useMessageNotifications();
  useEffect(() => followOtherTabs(), []);
  return null;
}
