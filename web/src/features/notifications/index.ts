/** Telling of messages to somebody who does not look: notifications, sound, title, badge, and when to be quiet. */

import { lazy } from "react";

export { NotificationPrompt } from "./components/notification-prompt";
export { Notifications } from "./components/notifications";

export const NotificationSettings = lazy(async () => ({
  default: (await import("./components/notification-settings")).NotificationSettings,
}));
export const PauseItems = lazy(async () => ({ default: (await import("./components/pause-items")).PauseItems }));
