import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { dismissUpdate, useUpdate } from "@/lib/app-update";
import { dismissToast, toast } from "@/lib/toast";

const ID = "update";

/** Offers a new version when nothing holds it (`holdUpdates`), and takes the offer back when something begins to. */
export function UpdateOffer() {
  const { t } = useTranslation();
  const apply = useUpdate();
  useEffect(() => {
    if (apply === undefined) return;
    toast(t("update.title"), {
      id: ID,
      description: t("update.text"),
      duration: Infinity,
      action: { label: t("update.apply"), run: apply },
      onDismiss: dismissUpdate,
    });
    return () => dismissToast(ID, { silent: true });
  }, [apply, t]);
  return null;
}
