import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useShortcut } from "@/lib/shortcuts";
import { onShortcutsAsked } from "@/lib/shortcuts-sheet";

const ShortcutsSheet = lazy(async () => ({ default: (await import("./shortcuts-sheet")).ShortcutsSheet }));

/** Opens the list of shortcuts on `?`, and for whoever calls `askForShortcuts()`; its code comes when it is first asked for. */
export function LazyShortcutsSheet() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [asked, setAsked] = useState(false);
  const show = () => {
    setAsked(true);
    setOpen(true);
  };
  useShortcut({ label: t("shortcuts.show"), group: "general", keys: ["?", "mod+/"] }, show);
  useEffect(() => onShortcutsAsked(show), []);
  return <Suspense>{asked && <ShortcutsSheet open={open} onOpenChange={setOpen} />}</Suspense>;
}
