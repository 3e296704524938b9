import { lazy, Suspense } from "react";
import { BrowserRouter, Route, Routes } from "react-router";
import { LoginPage, RegisterPage, SignedOutPage } from "@/features/auth";
import { BROWSE_PATH } from "@/lib/paths";
import { FollowNotifications } from "./follow-notifications";
import { Home } from "./routes/home";
import { RequireNoSession, RequireSession } from "./session-guards";

/** The frame of the signed-in app; whoever only signs in does not need it. */
export const loadSignedIn = () => import("./signed-in");
/** The page of a room. */
export const loadRoom = () => import("./routes/room");

const SignedIn = lazy(async () => ({ default: (await loadSignedIn()).SignedIn }));
const BrowsePage = lazy(async () => ({ default: (await import("@/features/rooms")).BrowsePage }));
const SearchPage = lazy(async () => ({ default: (await import("@/features/search")).SearchPage }));
const RoomRoute = lazy(async () => ({ default: (await loadRoom()).RoomRoute }));
const SettingsRoute = lazy(async () => ({ default: (await import("./routes/settings")).SettingsRoute }));
const NotFound = lazy(async () => ({ default: (await import("./routes/not-found")).NotFound }));

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
              <Route path={BROWSE_PATH} element={<BrowsePage />} />
              <Route path="/search" element={<SearchPage />} />
              <Route path="/settings/:section?" element={<SettingsRoute />} />
              <Route path="*" element={<NotFound />} />
            </Route>
          </Route>
        </Routes>
      </Suspense>
    </BrowserRouter>
  );
}
