/**
 * A person is in one call at a time: of several tabs one holds the lock while it is, and tells the others.
 *
 * Locks end with their tab however that ends. Without them (a page without HTTPS, where there is no microphone either) each tab
 * counts for itself, and the server refuses the second call.
 */

// Typed as always there, it is kept from pages without HTTPS.
const locks = (navigator as { locks?: LockManager }).locks;

const lockName = (userId: string) => `parlour-call-${userId}`;

type Note = { in: string } | { ask: true };

/** Take part in a call in this tab. Returns what ends that, or undefined where another tab is in one. */
export async function claimCall(userId: string, roomId: string): Promise<(() => void) | undefined> {
  if (locks === undefined) return () => undefined;
  const manager = locks;
  return new Promise((resolve, reject) => {
    const held = manager.request(lockName(userId), { ifAvailable: true }, async (lock) => {
      if (lock === null) {
        resolve(undefined);
        return;
      }
      const channel = new BroadcastChannel(lockName(userId));
      const tell = () => channel.postMessage({ in: roomId } satisfies Note);
      channel.addEventListener("message", ({ data }: MessageEvent<Note>) => {
        if ("ask" in data) tell();
      });
      tell();
      await new Promise<void>((release) => resolve(() => release()));
      channel.close();
    });
    held.catch(reject);
  });
}

/** Tell the room of the call that another tab is in, until the returned function is called. */
export function followOtherTabs(userId: string, changed: (roomId: string | undefined) => void): () => void {
  if (locks === undefined) return () => undefined;
  const manager = locks;
  const stop = new AbortController();
  const channel = new BroadcastChannel(lockName(userId));
  channel.addEventListener("message", ({ data }: MessageEvent<Note>) => {
    if (!("in" in data)) return;
    changed(data.in);
    // Granted once that tab has let go of it, or is gone.
    manager
      .request(lockName(userId), { mode: "shared", signal: stop.signal }, () => changed(undefined))
      .catch(() => undefined); // given up while waiting
  });
  channel.postMessage({ ask: true } satisfies Note);
  return () => {
    stop.abort();
    channel.close();
  };
}
