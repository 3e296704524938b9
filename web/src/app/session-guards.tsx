import { useEffect } from "react";
import { Navigate, Outlet, useLocation, useSearchParams } from "react-router";
import { loginPath, returnPath } from "@/features/auth";
import { wipeAccountItems } from "@/lib/account-storage";
import { useSession, useSignOutReason } from "@/realtime";

/** Lets in whoever is signed in; sends others to sign in and back, or tells them why their session is over. */
export function RequireSession() {
  const session = useSession();
  const reason = useSignOutReason();
  const { pathname, search, hash } = useLocation();
  // The data layer forgets its own by itself.
  useEffect(() => {
    if (session === null) wipeAccountItems();
  }, [session]);
  if (session !== null) return <Outlet />;
  const here = pathname + search + hash;
  if (reason === undefined) return <Navigate to={loginPath(here)} replace />;
  const query = new URLSearchParams({ reason, ...(reason === "logout" ? {} : { next: here }) });
  return <Navigate to={`/signed-out?${query.toString()}`} replace />;
}

/** The pages for those who are not signed in; whoever is goes on to where they wanted. */
export function RequireNoSession() {
  const session = useSession();
  const [search] = useSearchParams();
  return session === null ? <Outlet /> : <Navigate to={returnPath(search.get("next"))} replace />;
}
