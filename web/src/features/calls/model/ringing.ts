/** Ringing at who is called: as this device wants it at this time, with a notification of the system while nobody looks. */

import { useNotificationPreferences } from "@/lib/notification-preferences";
import { alertsAt } from "@/lib/quiet";
import { closeNotifications, showNotification, type Shown } from "@/lib/system-notifications";
import { ring } from "@/media";

/** Showing and taking back take their time: one after the other, so that nothing is taken back before it shows. */
let told: Promise<void> = Promise.resolve();

/** Ring until the returned function is called. `open` is called when the notification is clicked. */
export function startRinging(
  { callId, title, path }: { callId: string; title: string; path: string },
  open: (path: string) => void,
): () => void {
  const tag = `call-${callId}`;
  let silence: (() => void) | undefined;
  let shown = false;
  const adapt = (sound: boolean, notification: boolean) => {
    if (sound) silence ??= ring("incoming");
    else {
      silence?.();
      silence = undefined;
    }
    if (notification === shown) return;
    shown = notification;
    const call: Shown = { title, body: "", tag, path, stays: true, loud: sound };
    told = told
      .then(() => (notification ? showNotification(call, open) : closeNotifications(tag)))
      .catch(() => undefined); // no notifications here: the sheet is there
  };
  const look = () => {
    const { sound, notification } = alertsAt(useNotificationPreferences.getState(), Date.now());
    adapt(sound, notification && document.hidden);
  };
  document.addEventListener("visibilitychange", look);
  const unfollow = useNotificationPreferences.subscribe(look);
  look();
  return () => {
    document.removeEventListener("visibilitychange", look);
    unfollow();
    adapt(false, false);
  };
}
