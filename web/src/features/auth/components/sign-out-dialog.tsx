import { useState } from "react";
import { useTranslation } from "react-i18next";
import { AlertDialog } from "@/components/ui/alert-dialog";
import { endSession, useOutboxCount } from "@/realtime";

/** Signing out wipes what this device keeps: it asks, and says what has not been sent. */
export function SignOutDialog({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const { t } = useTranslation("auth");
  const pending = useOutboxCount();
  const [busy, setBusy] = useState(false);
  const leave = () => {
    setBusy(true);
    void endSession().finally(() => setBusy(false));
  };
  return (
    <AlertDialog
      open={open}
      onOpenChange={onOpenChange}
      title={t("account.signOutTitle")}
      description={pending > 0 ? t("account.signOutPending", { count: pending }) : t("account.signOutText")}
      confirm={pending > 0 ? t("account.signOutAnyway") : t("account.signOut")}
      destructive={pending > 0}
      busy={busy}
      onConfirm={leave}
    />
  );
}
