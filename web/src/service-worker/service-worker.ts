/** The service worker: opens the app without a network, wakes the outbox, and leads from a notification to its message. */

import {
  cleanupOutdatedCaches,
  createHandlerBoundToURL,
  precacheAndRoute,
  type PrecacheEntry,
} from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";
import { CacheFirst } from "workbox-strategies";

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: (PrecacheEntry | string)[] };

/** Fired by browsers with background sync. `event.tag` is what the outbox registered. */
interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

/** The tag under which the outbox asks to be woken when there is a network again (src/realtime). */
const OUTBOX_TAG = "outbox";

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();

const SERVERS_OWN = /^\/(?:api|socket\.io|health|metrics|schema|\.well-known)(?:\/|$)/;
registerRoute(new NavigationRoute(createHandlerBoundToURL("/index.html"), { denylist: [SERVERS_OWN] }));

// Scripts other than Latin, in which few read: kept once they were needed. Their names change with their content.
registerRoute(({ url }) => /^\/assets\/.*\.woff2$/.test(url.pathname), new CacheFirst({ cacheName: "fonts" }));

// The names of emoji in a language: half a megabyte, fetched when somebody opens the picker for the first time.
registerRoute(({ url }) => url.pathname.startsWith("/assets/emoji/"), new CacheFirst({ cacheName: "emoji" }));

self.addEventListener("message", (event) => {
  const { type } = (event.data ?? {}) as { type?: unknown };
  if (type === "SKIP_WAITING") void self.skipWaiting();
});

self.addEventListener("sync", (event) => {
  const sync = event as SyncEvent;
  if (sync.tag === OUTBOX_TAG) sync.waitUntil(wakeOutbox());
});

/** Tell the open pages that there is a network. With none open nobody holds a token: the browser shall try again later. */
async function wakeOutbox(): Promise<void> {
  const pages = await self.clients.matchAll({ type: "window" });
  if (pages.length === 0) throw new Error("no page is open to send");
  for (const page of pages) page.postMessage({ type: "outbox.wake" });
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url } = (event.notification.data ?? {}) as { url?: unknown };
  event.waitUntil(open(typeof url === "string" ? url : "/"));
});

/** Show a path of ours in an open page, or in a new one. The page changes its address itself, without loading anew. */
async function open(path: string): Promise<void> {
  const url = new URL(path, self.location.origin);
  if (url.origin !== self.location.origin) return;
  const [page] = await self.clients.matchAll({ type: "window" });
  if (page === undefined) {
    await self.clients.openWindow(url.href);
    return;
  }
  page.postMessage({ type: "navigate", path: url.pathname + url.search });
  await page.focus();
}
