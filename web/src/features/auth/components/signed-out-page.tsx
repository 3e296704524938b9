import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { Button } from "@/components/ui/button";
import { useEarlyEnd } from "@/lib/early";
import { returnPath } from "../model/return-path";
import { AuthLayout } from "./auth-layout";

type Ended = "expired" | "revoked" | "password_changed" | "token_reused" | "user_disabled" | "role_changed";

/** Why sessions end (`session.revoked` of docs/reference/events.md, and what refreshing answers), as one tells people. */
const REASONS: Record<string, Ended> = {
  revoked: "revoked",
  session_revoked: "revoked",
  password_changed: "password_changed",
  token_reused: "token_reused",
  refresh_token_reused: "token_reused",
  user_disabled: "user_disabled",
  account_disabled: "user_disabled",
  role_changed: "role_changed",
};

/** After these the data layer keeps the outbox for the same person; after all others it leaves nothing. */
const KEEPS_UNSENT: ReadonlySet<Ended> = new Set(["expired", "password_changed", "role_changed"]);

/** After a session: signed out by oneself (`?reason=logout`), or ended from elsewhere, and why. */
export function SignedOutPage() {
  const { t } = useTranslation("auth");
  const [search] = useSearchParams();
  useEarlyEnd();
  const reason = search.get("reason") ?? "logout";
  const ended = reason === "logout" ? undefined : (REASONS[reason] ?? "expired");
  const next = returnPath(search.get("next"));
  const to = { pathname: "/login", search: next === "/" ? "" : new URLSearchParams({ next }).toString() };
  return (
    <AuthLayout title={ended === undefined ? t("ended.title") : t("ended.titleEnded")}>
      <p className="text-md text-muted-foreground">{t(`ended.${ended ?? "logout"}`)}</p>
      <p className="mt-2 text-base text-muted-foreground">
        {ended !== undefined && KEEPS_UNSENT.has(ended) ? t("ended.kept") : t("ended.wiped")}
      </p>
      <Button asChild variant="primary" size="lg" className="mt-6">
        <Link to={to}>{t("ended.login")}</Link>
      </Button>
    </AuthLayout>
  );
}
