import { lazy, Suspense, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Outlet, useLocation } from "react-router";
import { Crash } from "@/components/crash";
import { ErrorBoundary } from "@/components/error-boundary";
import { ResizeHandle } from "@/components/ui/resize-handle";
import { useEarlyEnd } from "@/lib/early";
import { useLastPlaceKept } from "@/lib/last-place";
import { usePhone } from "@/lib/media-query";
import { isRoomPath } from "@/lib/paths";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { useKeptFocus } from "@/lib/focus";
import { useDurable } from "@/realtime";
import { ConnectionBanner } from "./connection-banner";
import { PageSkeleton } from "./page-skeleton";
import { LazyShortcutsSheet } from "./lazy-shortcuts-sheet";
import { UpdateOffer } from "./update-offer";

const StorageBanner = lazy(async () => ({ default: (await import("./storage-banner")).StorageBanner }));

export interface AppShellProps {
  sidebar: ReactNode;
  /** What stays over every page, such as a call. */
  overlay?: ReactNode;
}

/**
 * The frame of the signed-in app: the sidebar, and the page that the address names. On a phone they are pages of their own:
 * `/` is the sidebar, and every other page has a way back to it.
 */
export function AppShell({ sidebar, overlay }: AppShellProps) {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  useLastPlaceKept();
  useKeptFocus();
  useEarlyEnd(!isRoomPath(pathname)); // a room ends it once it is there
  const durable = useDurable();
  const phone = usePhone();
  const width = usePreferences((preferences) => preferences.sidebarWidth);
  const home = pathname === "/";
  // On a phone the sidebar is the page itself.
  const Side = phone ? "main" : "aside";
  return (
    <div className="flex h-dvh flex-col ps-[env(safe-area-inset-left)] pe-[env(safe-area-inset-right)] pt-[env(safe-area-inset-top)]">
      <a
        href="#page"
        className="sr-only focus:not-sr-only focus:absolute focus:start-2 focus:top-2 focus:z-50 focus:rounded-sm focus:bg-primary focus:px-3 focus:py-2 focus:text-primary-foreground"
      >
        {t("skipToContent")}
      </a>
      <ConnectionBanner />
      <Suspense>{!durable && <StorageBanner />}</Suspense>
      <div className="flex min-h-0 flex-1">
        {(!phone || home) && (
          <Side
            {...(phone ? { id: "page", tabIndex: -1 } : { "aria-label": t("sidebar") })}
            className="relative flex shrink-0 flex-col bg-sidebar text-sidebar-foreground outline-none [--ground:var(--sidebar)] max-md:min-w-0 max-md:flex-1 md:border-e md:border-sidebar-border"
            style={phone ? undefined : { width: `min(${width / 16}rem, 45vw)` }} // in rem: it grows with larger text
          >
            {phone && <h1 className="sr-only">{t("product", { ns: "auth" })}</h1>}
            {sidebar}
            {!phone && (
              <ResizeHandle
                label={t("resize.sidebar")}
                side="start"
                value={width}
                min={220}
                max={400}
                initial={264}
                onChange={(sidebarWidth) => setPreferences({ sidebarWidth })}
              />
            )}
          </Side>
        )}
        {!(phone && home) && (
          <main id="page" tabIndex={-1} className="flex min-h-0 min-w-0 flex-1 flex-col outline-none">
            <ErrorBoundary resetKey={pathname} fallback={(error, retry) => <Crash error={error} onRetry={retry} />}>
              <Suspense fallback={<PageSkeleton />}>
                <Outlet />
              </Suspense>
            </ErrorBoundary>
          </main>
        )}
      </div>
      {overlay}
      <LazyShortcutsSheet />
      <UpdateOffer />
    </div>
  );
}
