// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { setNotificationPreferences } from "@/lib/notification-preferences";
import { startRinging } from "./ringing";

const sounding = vi.hoisted(() => ({ count: 0 }));
vi.mock("@/media", () => ({
  ring: () => {
    sounding.count += 1;
    return () => (sounding.count -= 1);
  },
}));

/** What the service worker shows: as on Android, where a page may not show anything itself. */
const shown: { title: string; tag: string; silent: boolean; requireInteraction: boolean; close: () => void }[] = [];
const registration = {
  active: {},
  showNotification: (title: string, options: { tag: string; silent: boolean; requireInteraction: boolean }) => {
    const notification = { title, ...options, close: () => shown.splice(shown.indexOf(notification), 1) };
    shown.push(notification);
    return Promise.resolve();
  },
  getNotifications: ({ tag }: { tag: string }) => Promise.resolve(shown.filter((one) => one.tag === tag)),
};

const PageNotification = Object.assign(
  vi.fn(() => {
    throw new TypeError("Illegal constructor. Use ServiceWorkerRegistration.showNotification() instead.");
  }),
  { permission: "granted" },
);

function look(away: boolean): void {
  vi.spyOn(document, "hidden", "get").mockReturnValue(away);
  document.dispatchEvent(new Event("visibilitychange"));
}
const settled = () => new Promise((resolve) => setTimeout(resolve));

let stop: () => void = () => undefined;
function begin(): void {
  stop = startRinging({ callId: "c", title: "Ann calls", path: "/r/room" }, () => undefined);
}

beforeEach(() => {
  vi.stubGlobal("Notification", PageNotification);
  vi.stubGlobal("navigator", { serviceWorker: { getRegistration: () => Promise.resolve(registration) } });
  setNotificationPreferences({ enabled: true, sound: true, quietUntil: 0 });
  look(false);
});
afterEach(async () => {
  stop();
  await settled();
  expect([sounding.count, shown]).toEqual([0, []]);
  vi.unstubAllGlobals();
});

it("shows a notification through the service worker once nobody looks, until somebody does", async () => {
  begin();
  await settled();
  expect([sounding.count, shown.length]).toEqual([1, 0]);
  look(true);
  await settled();
  expect(shown).toMatchObject([{ title: "Ann calls", tag: "call-c", silent: false, requireInteraction: true }]);
  look(false);
  await settled();
  expect([sounding.count, shown.length]).toEqual([1, 0]);
});

it("takes back a notification that is still to show when the ringing ends", async () => {
  look(true);
  begin();
  stop();
  await settled();
  expect(shown).toEqual([]);
});

it("is silent and shows nothing while one does not want to be disturbed, also from then on", async () => {
  look(true);
  begin();
  await settled();
  expect([sounding.count, shown.length]).toEqual([1, 1]);
  setNotificationPreferences({ quietUntil: Date.now() + 60_000 });
  await settled();
  expect([sounding.count, shown.length]).toEqual([0, 0]);
});

it("makes no sound, and has the system make none, where sound is off", async () => {
  setNotificationPreferences({ sound: false });
  look(true);
  begin();
  await settled();
  expect([sounding.count, shown]).toMatchObject([0, [{ silent: true }]]);
});

it("rings without a notification where those are off", async () => {
  setNotificationPreferences({ enabled: false });
  look(true);
  begin();
  await settled();
  expect([sounding.count, shown.length]).toEqual([1, 0]);
});
