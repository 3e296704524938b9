/** Background sync, where the browser has it: the service worker wakes the outbox of an open page when there is a network again. */

/** The tag that src/service-worker listens for. */
const TAG = "outbox";
const WAKE = "outbox.wake";

interface SyncManager {
  register: (tag: string) => Promise<void>;
}

/** Ask to be woken: something waits to be sent. */
export function askForWake(): void {
  if (typeof navigator === "undefined" || !("serviceWorker" in navigator)) return;
  void navigator.serviceWorker.getRegistration().then((registration) => {
    if (registration === undefined || !("sync" in registration)) return undefined;
    // Refused (the user has switched it off), the page's own timers do.
    return (registration.sync as SyncManager).register(TAG).catch(() => undefined);
  });
}

/** Have `wake` called when the service worker says so, until the signal is aborted. */
export function onWake(wake: () => void, signal: AbortSignal): void {
  if (typeof navigator === "undefined" || !("serviceWorker" in navigator)) return;
  const listener = ({ data }: MessageEvent<unknown>) => {
    if (typeof data === "object" && data !== null && "type" in data && data.type === WAKE) wake();
  };
  navigator.serviceWorker.addEventListener("message", listener, { signal });
}
