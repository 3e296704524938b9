import { StrictMode, startTransition } from "react";
import { createRoot } from "react-dom/client";
import "@/styles/globals.css";
import { App } from "@/app/app";
import { prefetchPages } from "@/app/router";
import { atRest } from "@/lib/at-rest";
import { startI18n } from "@/lib/i18n";
import { reportError } from "@/lib/report-error";
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
  try {
    // Nothing is drawn before it is known who looks at it and in which language: no flash of a login page.
    await Promise.all([startI18n(), resumeSession(), prefetched, window.parlourStart?.styles]);
  } catch (error) {
    reportError(error);
    window.parlourStart?.failed();
    return;
  }
  const application = createRoot(into);
  // As a transition, which React draws in pieces of 5 ms: what somebody types meanwhile is not kept waiting until the whole is there.
  startTransition(() =>
    application.render(
      <StrictMode>
        <App />
      </StrictMode>,
    ),
  );
  await atRest();
  await registerWorker().catch(() => undefined); // no network by now: the next visit tries again
}

/** For the next visit: it fetches everything, and waits until this one is served. */
async function registerWorker(): Promise<void> {
  const { registerServiceWorker } = await import("@/app/service-worker-registration");
  await registerServiceWorker();
}
