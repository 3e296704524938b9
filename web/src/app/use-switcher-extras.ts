import { Keyboard, Moon, Sun } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { SwitcherAction } from "@/features/rooms";
import { setPreferences } from "@/lib/preferences";
import { askForShortcuts } from "@/lib/shortcuts-sheet";
import { useDark } from "@/lib/theme";

/** What the quick switcher offers besides what is about rooms. */
export function useSwitcherExtras(): readonly SwitcherAction[] {
  const { t } = useTranslation();
  const dark = useDark();
  return [
    {
      id: "theme",
      icon: dark ? Sun : Moon,
      label: t(dark ? "switcher.light" : "switcher.dark"),
      run: () => setPreferences({ theme: dark ? "light" : "dark" }),
    },
    { id: "shortcuts", icon: Keyboard, label: t("shortcuts.title"), run: askForShortcuts },
  ];
}
