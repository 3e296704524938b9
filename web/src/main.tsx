import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@/styles/globals.css";
import { App } from "@/app/app";
import { loadSignedIn, loadRoom } from "@/app/router";
import { startI18n } from "@/lib/i18n";
import { followShortcuts } from "@/lib/shortcuts";
import { followTheme } from "@/lib/theme";
import { expectsSession, resumeSession } from "@/realtime";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

followTheme();
followShortcuts();
if (expectsSession()) {
  void loadSignedIn();
  if (location.pathname.startsWith("/r/")) void loadRoom();
}
// Nothing is drawn before it is known who looks at it and in which language: no flash of a login page.
await Promise.all([startI18n(), resumeSession()]);
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
// For the next visit: it may wait until this one is served.
void import("@/app/service-worker-registration").then(({ registerServiceWorker }) => registerServiceWorker());
