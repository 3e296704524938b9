import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@/styles/globals.css";
import { App } from "@/app/app";
import { prefetchPages } from "@/app/router";
import { atRest } from "@/lib/at-rest";
import { startI18n } from "@/lib/i18n";
import { followShortcuts } from "@/lib/shortcuts";
import { followTheme } from "@/lib/theme";
import { expectsSession, resumeSession } from "@/realtime";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

followTheme();
followShortcuts();
const prefetched = prefetchPages(expectsSession());
void draw(root);

/** Not awaited at the top: files that this one waits for wait for its own. */
async function draw(into: HTMLElement): Promise<void> {
  // Nothing is drawn before it is known who looks at it and in which language: no flash of a login page.
  await Promise.all([startI18n(), resumeSession(), prefetched]);
  createRoot(into).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
  await atRest();
  await registerWorker().catch(() => undefined); // no network by now: the next visit tries again
}

/** For the next visit: it fetches everything, and waits until this one is served. */
async function registerWorker(): Promise<void> {
  const { registerServiceWorker } = await import("@/app/service-worker-registration");
  await registerServiceWorker();
}
