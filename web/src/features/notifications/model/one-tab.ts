/**
 * Of several tabs one notifies, and none does of a room that somebody looks at in any of them.
 *
 * Both are told by Web Locks, which end with their tab however that ends. Without locks (a page without HTTPS, which may not notify
 * either) each tab counts for itself.
 */

// Typed as always there, it is kept from pages without HTTPS.
const locks = (navigator as { locks?: LockManager | null }).locks ?? undefined;

/** Hold a lock until the signal; `held` is told once it is one's own. */
function hold(name: string, signal: AbortSignal, held: () => void): void {
  if (locks === undefined) {
    held();
    return;
  }
  locks
    .request(name, { signal }, () => {
      held();
      return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    })
    .catch(() => undefined); // given up while waiting
}

/** Become the tab that notifies as soon as no other is; calls `changed(true)` then. Returns how to stop. */
export function leadNotifications(userId: string, changed: (leading: boolean) => void): () => void {
  const stop = new AbortController();
  hold(`parlour-notify-${userId}`, stop.signal, () => changed(true));
  return () => {
    stop.abort();
    changed(false);
  };
}

const watchName = (userId: string, roomId: string) => `parlour-watch-${userId}-${roomId}`;

/** Tell the other tabs that somebody looks at the room here. Returns how to stop. */
export function watchRoom(userId: string, roomId: string): () => void {
  const stop = new AbortController();
  // Shared: the same room may be open in two windows side by side.
  locks
    ?.request(watchName(userId, roomId), { mode: "shared", signal: stop.signal }, () => {
      return new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve(), { once: true }));
    })
    .catch(() => undefined);
  return () => stop.abort();
}

/** Whether somebody looks at the room in any tab but perhaps this one. */
export async function isWatched(userId: string, roomId: string): Promise<boolean> {
  const { held = [] } = (await locks?.query()) ?? {};
  return held.some((lock) => lock.name === watchName(userId, roomId));
}
