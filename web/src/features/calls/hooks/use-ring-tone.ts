import { useEffect } from "react";
import { ring } from "@/media";

// Typed as always there, it is kept from pages without HTTPS.
const locks = (navigator as { locks?: LockManager }).locks;

/** Ring while mounted: in one tab of several, and with a notification of the system where nobody looks. */
export function useRingTone(title: string): void {
  useEffect(() => {
    const stop = new AbortController();
    const until = new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve()));
    const sound = async () => {
      const silence = ring("incoming");
      const notification = document.hidden ? notify(title) : undefined;
      await until;
      silence();
      notification?.close();
    };
    if (locks === undefined) void sound();
    else locks.request("parlour-ring", { signal: stop.signal }, sound).catch(() => undefined); // another tab rang
    return () => stop.abort();
  }, [title]);
}

function notify(title: string): Notification | undefined {
  try {
    if (Notification.permission !== "granted") return undefined;
    const notification = new Notification(title, { tag: "parlour-call", requireInteraction: true });
    notification.addEventListener("click", () => {
      window.focus();
      notification.close();
    });
    return notification;
  } catch {
    return undefined; // no notifications here, or from service workers only
  }
}
