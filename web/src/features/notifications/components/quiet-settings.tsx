import { useTranslation } from "react-i18next";
import { Setting } from "@/components/setting";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import { Switch } from "@/components/ui/switch";
import { setNotificationPreferences, useNotificationPreferences } from "@/lib/notification-preferences";
import { tomorrow } from "@/lib/quiet";
import { useTimes } from "@/lib/time";
import { useCountdown } from "@/lib/use-countdown";

const HOUR = 60 * 60 * 1000;

/** Do not disturb: until a time, and at hours of each day. */
export function QuietSettings() {
  const { t } = useTranslation("notifications");
  const times = useTimes();
  const { quietUntil, schedule } = useNotificationPreferences();
  const quiet = useCountdown(quietUntil) > 0;
  const pause = (until: number) => setNotificationPreferences({ quietUntil: until });
  const setSchedule = (changes: Partial<typeof schedule>) =>
    setNotificationPreferences({ schedule: { ...schedule, ...changes } });
  return (
    <>
      <Setting
        label={t("quiet.title")}
        hint={quiet ? t("quiet.until", { time: times.time(quietUntil), day: times.day(quietUntil) }) : t("quiet.hint")}
      >
        {(ids) => (
          <div role="group" {...ids} className="flex flex-wrap gap-1.5">
            {quiet ? (
              <Button onClick={() => pause(0)}>{t("quiet.end")}</Button>
            ) : (
              <>
                <Button size="sm" onClick={() => pause(Date.now() + HOUR / 2)}>
                  {t("quiet.halfHour")}
                </Button>
                <Button size="sm" onClick={() => pause(Date.now() + HOUR)}>
                  {t("quiet.hour")}
                </Button>
                <Button size="sm" onClick={() => pause(tomorrow(Date.now()))}>
                  {t("quiet.tomorrow")}
                </Button>
              </>
            )}
          </div>
        )}
      </Setting>
      <Setting label={t("quiet.schedule")} hint={t("quiet.scheduleHint")}>
        {(ids) => (
          <div role="group" {...ids} className="flex flex-wrap items-center gap-3">
            {schedule.on && (
              <div className="flex flex-wrap items-center gap-2">
                <Input
                  type="time"
                  aria-label={t("quiet.from")}
                  className="w-28"
                  value={schedule.from}
                  onChange={(event) => setSchedule({ from: event.target.value })}
                />
                <span className="text-muted-foreground">{t("quiet.to")}</span>
                <Input
                  type="time"
                  aria-label={t("quiet.toLabel")}
                  className="w-28"
                  value={schedule.to}
                  onChange={(event) => setSchedule({ to: event.target.value })}
                />
              </div>
            )}
            <Switch
              aria-label={t("quiet.schedule")}
              checked={schedule.on}
              onCheckedChange={(on) => setSchedule({ on })}
            />
          </div>
        )}
      </Setting>
    </>
  );
}
