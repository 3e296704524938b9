/** Notifications of the system: through the service worker where there is one, as phones want it, else by the page. */

import { create } from "zustand";

export type Permission = NotificationPermission | "unsupported";

function permission(): Permission {
  return "Notification" in window ? Notification.permission : "unsupported";
}

export const usePermission = create<{ permission: Permission }>(() => ({ permission: permission() }));

/** Ask the person; browsers want that from a click. */
export async function askPermission(): Promise<Permission> {
  if (permission() === "default") await Notification.requestPermission();
  usePermission.setState({ permission: permission() });
  return permission();
}

export interface Shown {
  title: string;
  body: string;
  /** A newer one of the same tag takes its place: one for a room, and one for a call. */
  tag: string;
  /** Where a click leads. */
  path: string;
  /** It stays until somebody touches it or it is taken back. */
  stays?: boolean;
  /** With the sound of the system, and so with what phones do besides: they show a silent one in their list only. */
  loud?: boolean;
}

const ICON = "/icons/icon-192.png";

async function worker(): Promise<ServiceWorkerRegistration | undefined> {
  if (!("serviceWorker" in navigator)) return undefined;
  const registration = await navigator.serviceWorker.getRegistration();
  return registration?.active ? registration : undefined;
}

const pageNotifications = new Map<string, Notification>();

/** Show one. `open` is called when it is clicked and no service worker takes the click. */
export async function showNotification(
  { title, body, tag, path, stays = false, loud = false }: Shown,
  open: (path: string) => void,
): Promise<void> {
  if (permission() !== "granted") return;
  // The sound of messages is ours: it knows of quiet hours and of the choice of having none.
  const options = { body, tag, icon: ICON, silent: !loud, requireInteraction: stays, data: { url: path } };
  const registration = await worker();
  if (registration !== undefined) {
    await registration.showNotification(title, options);
    return;
  }
  const notification = new Notification(title, options);
  pageNotifications.set(tag, notification);
  notification.onclick = () => {
    window.focus();
    open(path);
    notification.close();
  };
}

/** Take back what is shown of a room, as it was read, or of a call. */
export async function closeNotifications(tag: string): Promise<void> {
  pageNotifications.get(tag)?.close();
  pageNotifications.delete(tag);
  const registration = await worker();
  for (const notification of (await registration?.getNotifications({ tag })) ?? []) notification.close();
}
