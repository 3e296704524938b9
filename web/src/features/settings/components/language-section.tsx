import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Setting } from "@/components/setting";
import { Select } from "@/components/ui/select";
import { LANGUAGES } from "@/lib/i18n";
import { setPreferences, usePreferences, type Language, type TimeFormat } from "@/lib/preferences";
import { useTimes } from "@/lib/time";
import { Segmented } from "./segmented";

/** Language and how times look: of this device, applied at once. */
export function LanguageSection() {
  const { t } = useTranslation("settings");
  const times = useTimes();
  const language = usePreferences((preferences) => preferences.language);
  const timeFormat = usePreferences((preferences) => preferences.timeFormat);
  const [now] = useState(() => Date.now());
  const formats: readonly TimeFormat[] = ["system", "12", "24"];
  return (
    <div>
      <Setting label={t("language.language")}>
        {(ids) => (
          <Select
            {...ids}
            className="w-56"
            value={language}
            onChange={(event) => setPreferences({ language: event.target.value as Language })}
          >
            <option value="system">{t("language.system")}</option>
            {Object.entries(LANGUAGES).map(([code, name]) => (
              <option key={code} value={code} lang={code}>
                {name}
              </option>
            ))}
          </Select>
        )}
      </Setting>
      <Setting
        label={t("language.time")}
        hint={t("language.timeHint", { time: times.time(now), day: times.shortDay(now) })}
      >
        {(ids) => (
          <Segmented
            {...ids}
            value={timeFormat}
            onChange={(value) => setPreferences({ timeFormat: value })}
            choices={formats.map((value) => ({ value, label: t(`language.formats.${value}`) }))}
          />
        )}
      </Setting>
    </div>
  );
}
