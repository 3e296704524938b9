/** Who one is: signing up, in and out. Pages and menus are chunks of their own. */

import { lazy } from "react";
import { prefetchable } from "@/lib/prefetchable";

export { AccountButton } from "./components/account-button";
export { loginPath, returnPath } from "./model/return-path";

export const AccountMenu = lazy(async () => ({ default: (await import("./components/account-menu")).AccountMenu }));
export const ChangePassword = lazy(async () => ({
  default: (await import("./components/change-password")).ChangePassword,
}));
export const [LoginPage, prefetchLogin] = prefetchable(async () => (await import("./components/login-page")).LoginPage);
export const RegisterPage = lazy(async () => ({ default: (await import("./components/register-page")).RegisterPage }));
export const SignedOutPage = lazy(async () => ({
  default: (await import("./components/signed-out-page")).SignedOutPage,
}));
