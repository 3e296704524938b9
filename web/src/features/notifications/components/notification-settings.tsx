import { BellOff, BellRing } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Setting } from "@/components/setting";
import { Button } from "@/components/ui/button";
import { Switch } from "@/components/ui/switch";
import { setNotificationPreferences, useNotificationPreferences } from "@/lib/notification-preferences";
import { askPermission, usePermission } from "@/lib/system-notifications";
import { playTone } from "../model/tone";
import { QuietSettings } from "./quiet-settings";
import { RoomLevels } from "./room-levels";

/** What this device notifies of: the browser's permission, sound, quiet times, and each room's level. */
export function NotificationSettings() {
  const { t } = useTranslation("notifications");
  const { enabled, sound, preview } = useNotificationPreferences();
  return (
    <div>
      <PermissionNote />
      <Setting label={t("settings.enabled")} hint={t("settings.enabledHint")}>
        {(ids) => (
          <Switch {...ids} checked={enabled} onCheckedChange={(on) => setNotificationPreferences({ enabled: on })} />
        )}
      </Setting>
      <Setting label={t("settings.preview")} hint={t("settings.previewHint")}>
        {(ids) => (
          <Switch
            {...ids}
            checked={preview}
            disabled={!enabled}
            onCheckedChange={(on) => setNotificationPreferences({ preview: on })}
          />
        )}
      </Setting>
      <Setting label={t("settings.sound")} hint={t("settings.soundHint")}>
        {(ids) => (
          <Switch
            {...ids}
            checked={sound}
            onCheckedChange={(on) => {
              setNotificationPreferences({ sound: on });
              if (on) playTone().catch(() => undefined); // no device to play on
            }}
          />
        )}
      </Setting>
      <QuietSettings />
      <RoomLevels />
    </div>
  );
}

/** What the browser has to allow first, and how. */
function PermissionNote() {
  const { t } = useTranslation("notifications");
  const permission = usePermission((state) => state.permission);
  if (permission === "granted") return null;
  const Icon = permission === "default" ? BellRing : BellOff;
  return (
    <div className="mb-5 flex flex-wrap items-center gap-3 rounded-md border bg-muted px-4 py-3">
      <Icon aria-hidden className="size-5 shrink-0 text-muted-foreground" />
      <div className="min-w-[min(12rem,100%)] flex-1">
        <p className="font-medium">{t(`permission.${permission}`)}</p>
        <p className="text-sm text-muted-foreground">{t(`permission.${permission}Text`)}</p>
      </div>
      {permission === "default" && (
        <Button variant="primary" onClick={() => void askPermission()}>
          {t("permission.ask")}
        </Button>
      )}
    </div>
  );
}
