import { BellOff, BellRing } from "lucide-react";
import { useTranslation } from "react-i18next";
import {
  DropdownMenuItem,
  DropdownMenuSub,
  DropdownMenuSubContent,
  DropdownMenuSubTrigger,
} from "@/components/ui/dropdown-menu";
import { setNotificationPreferences, useNotificationPreferences } from "@/lib/notification-preferences";
import { tomorrow } from "@/lib/quiet";
import { useTimes } from "@/lib/time";
import { useCountdown } from "@/lib/use-countdown";

const HOUR = 60 * 60 * 1000;

/** Do not disturb, as entries of the account's menu. */
export function PauseItems() {
  const { t } = useTranslation("notifications");
  const times = useTimes();
  const quietUntil = useNotificationPreferences((preferences) => preferences.quietUntil);
  const quiet = useCountdown(quietUntil) > 0;
  const pause = (until: number) => setNotificationPreferences({ quietUntil: until });
  if (quiet) {
    return (
      <DropdownMenuItem onSelect={() => pause(0)}>
        <BellRing aria-hidden />
        {t("quiet.resume", { time: times.time(quietUntil) })}
      </DropdownMenuItem>
    );
  }
  return (
    <DropdownMenuSub>
      <DropdownMenuSubTrigger>
        <BellOff aria-hidden />
        {t("quiet.pause")}
      </DropdownMenuSubTrigger>
      <DropdownMenuSubContent>
        <DropdownMenuItem onSelect={() => pause(Date.now() + HOUR / 2)}>{t("quiet.halfHour")}</DropdownMenuItem>
        <DropdownMenuItem onSelect={() => pause(Date.now() + HOUR)}>{t("quiet.hour")}</DropdownMenuItem>
        <DropdownMenuItem onSelect={() => pause(tomorrow(Date.now()))}>{t("quiet.tomorrow")}</DropdownMenuItem>
      </DropdownMenuSubContent>
    </DropdownMenuSub>
  );
}
