import { BellRing, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { IconButton } from "@/components/ui/icon-button";
import { setNotificationPreferences, useNotificationPreferences } from "@/lib/notification-preferences";
import { askPermission, usePermission } from "@/lib/system-notifications";
import { useRoomIds } from "@/realtime";

/** Offers notifications once, below the rooms: the browser's own question comes only after a click on it. */
export function NotificationPrompt() {
  const { t } = useTranslation("notifications");
  const permission = usePermission((state) => state.permission);
  const { enabled, declined } = useNotificationPreferences();
  const newcomer = useRoomIds().length === 0;
  if (newcomer || permission !== "default" || !enabled || declined) return null;
  return (
    <section
      aria-label={t("prompt.title")}
      className="m-2 flex items-start gap-2.5 rounded-md border border-sidebar-border bg-background/60 p-2.5 text-sm"
    >
      <BellRing aria-hidden className="mt-0.5 size-4 shrink-0 text-sidebar-muted" />
      <div className="min-w-0 flex-1">
        <p>{t("prompt.text")}</p>
        <Button variant="link" size="sm" className="mt-1 touch:min-h-10!" onClick={() => void askPermission()}>
          {t("permission.ask")}
        </Button>
      </div>
      <IconButton
        label={t("prompt.decline")}
        size="sm"
        className="-me-1 -mt-1"
        onClick={() => setNotificationPreferences({ declined: true })}
      >
        <X />
      </IconButton>
    </section>
  );
}
