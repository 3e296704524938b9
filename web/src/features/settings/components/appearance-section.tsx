import { Monitor, Moon, Sun } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Setting } from "@/components/setting";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { Segmented } from "./segmented";

/** Theme and density: of this device, applied at once. */
export function AppearanceSection() {
  const { t } = useTranslation("settings");
  const theme = usePreferences((preferences) => preferences.theme);
  const density = usePreferences((preferences) => preferences.density);
  return (
    <div>
      <Setting label={t("appearance.theme")} hint={t("appearance.themeHint")}>
        {(ids) => (
          <Segmented
            {...ids}
            value={theme}
            onChange={(value) => setPreferences({ theme: value })}
            choices={[
              { value: "system", label: t("appearance.themes.system"), icon: Monitor },
              { value: "light", label: t("appearance.themes.light"), icon: Sun },
              { value: "dark", label: t("appearance.themes.dark"), icon: Moon },
            ]}
          />
        )}
      </Setting>
      <Setting label={t("appearance.density")} hint={t("appearance.densityHint")}>
        {(ids) => (
          <Segmented
            {...ids}
            value={density}
            onChange={(value) => setPreferences({ density: value })}
            choices={[
              { value: "comfortable", label: t("appearance.densities.comfortable") },
              { value: "compact", label: t("appearance.densities.compact") },
            ]}
          />
        )}
      </Setting>
    </div>
  );
}
