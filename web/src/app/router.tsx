import { lazy, Suspense } from "react";
import { BrowserRouter, Route, Routes } from "react-router";
import { LoginPage, prefetchLogin, RegisterPage, SignedOutPage } from "@/features/auth";
import { BROWSE_PATH, isRoomPath } from "@/lib/paths";
import { prefetchable } from "@/lib/prefetchable";
import { FollowNotifications } from "./follow-notifications";
import { Home } from "./routes/home";
import { RequireNoSession, RequireSession } from "./session-guards";

const [SignedIn, prefetchSignedIn] = prefetchable(async () => (await import("./signed-in")).SignedIn);
const [RoomRoute, prefetchRoom] = prefetchable(async () => (await import("./routes/room")).RoomRoute);
const BrowseRoute = lazy(async () => ({ default: (await import("./routes/browse")).BrowseRoute }));
const SearchRoute = lazy(async () => ({ default: (await import("./routes/search")).SearchRoute }));
const SettingsRoute = lazy(async () => ({ default: (await import("./routes/settings")).SettingsRoute }));
const NotFound = lazy(async () => ({ default: (await import("./routes/not-found")).NotFound }));

/** Fetch what the page's address is likely to show; what cannot be had now is fetched when it is drawn. */
export async function prefetchPages(signedIn: boolean): Promise<void> {
  const wanted = signedIn ? [prefetchSignedIn()] : [prefetchLogin()];
  if (signedIn && isRoomPath(location.pathname)) wanted.push(prefetchRoom());
  await Promise.allSettled(wanted);
}

/**
 * The addresses of the client. What everybody sees first is here; other pages are chunks of their own. The declarative router:
 * the one with loaders and actions is 20 KB larger, and the data layer does their work.
 */
export function Router() {
  return (
    <BrowserRouter>
      <FollowNotifications />
      <Suspense>
        <Routes>
          <Route element={<RequireNoSession />}>
            <Route path="/login" element={<LoginPage />} />
            <Route path="/register" element={<RegisterPage />} />
            <Route path="/signed-out" element={<SignedOutPage />} />
          </Route>
          <Route element={<RequireSession />}>
            <Route element={<SignedIn />}>
              <Route index element={<Home />} />
              <Route path="/r/:roomId" element={<RoomRoute />} />
              <Route path="/r/:roomId/m/:messageId" element={<RoomRoute />} />
              <Route path={BROWSE_PATH} element={<BrowseRoute />} />
              <Route path="/search" element={<SearchRoute />} />
              <Route path="/settings/:section?" element={<SettingsRoute />} />
              <Route path="*" element={<NotFound />} />
            </Route>
          </Route>
        </Routes>
      </Suspense>
    </BrowserRouter>
  );
}
