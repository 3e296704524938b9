import { useEffect } from "react";
import { useNavigate } from "react-router";

/** Goes where a notification that somebody clicked leads; the service worker says it. */
export function FollowNotifications() {
  const navigate = useNavigate();
  useEffect(() => {
    if (!("serviceWorker" in navigator)) return;
    const { serviceWorker } = navigator;
    const follow = (event: MessageEvent) => {
      const { type, path } = (event.data ?? {}) as { type?: unknown; path?: unknown };
      if (type === "navigate" && typeof path === "string") void navigate(path);
    };
    serviceWorker.addEventListener("message", follow);
    return () => serviceWorker.removeEventListener("message", follow);
  }, [navigate]);
  return null;
}
