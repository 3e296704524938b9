import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { lastPlace } from "@/lib/last-place";
import { useShortcut } from "@/lib/shortcuts";
import { hasUnsaved } from "@/lib/unsaved";

/** Fields in which Escape has a meaning of its own: it closes what they opened, or empties them. */
const TAKES_ESCAPE = "select, [type=time], [type=search]";

/** Escape leads back to where one was before the settings; dialogs and menus take it first. */
export function useLeaving(): void {
  const { t } = useTranslation("settings");
  const navigate = useNavigate();
  useShortcut({ label: t("leave"), group: "navigation", keys: "Escape", whileTyping: true }, ({ target }) => {
    if (hasUnsaved() || (target instanceof Element && target.matches(TAKES_ESCAPE))) return false;
    void navigate(lastPlace());
    return true;
  });
}
