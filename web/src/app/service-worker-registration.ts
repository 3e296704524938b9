import { Workbox } from "workbox-window";
import { offerUpdate } from "@/lib/app-update";

const HOUR_MS = 3_600_000;

/**
 * Register the service worker of a build, and offer each new version that it finds (lib/app-update.ts). Where another tab has
 * started one, this tab still runs the old code: it is offered to load the new one too.
 */
export async function registerServiceWorker(): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const worker = new Workbox("/service-worker.js");
  let chosen = false;
  const reload = () => window.location.reload();
  worker.addEventListener("waiting", () => {
    offerUpdate(() => {
      chosen = true;
      worker.messageSkipWaiting();
    });
  });
  worker.addEventListener("controlling", ({ isUpdate, isExternal }) => {
    if (chosen) reload();
    else if (isUpdate === true || isExternal === true) offerUpdate(reload);
  });
  const registration = await worker.register();
  // A tab that stays open for days never navigates, which is when browsers look by themselves.
  if (registration !== undefined) setInterval(() => void registration.update().catch(() => undefined), HOUR_MS);
}
