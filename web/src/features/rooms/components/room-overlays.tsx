import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { searchPath } from "@/lib/paths";
import { useShortcut } from "@/lib/shortcuts";
import type { SwitcherAction } from "../hooks/use-switcher-actions";
import { useRoomDialog } from "../model/room-dialogs";
import { closeSwitcher, openSwitcher, useSwitcherOpen } from "../model/switcher";

const RoomDialogs = lazy(async () => ({ default: (await import("./room-dialogs")).RoomDialogs }));
const QuickSwitcher = lazy(async () => ({ default: (await import("./quick-switcher")).QuickSwitcher }));

/** Once in the app: the dialogs about rooms and the switcher. Their code comes when they first open. */
export function RoomOverlays({ actions = [] }: { actions?: readonly SwitcherAction[] }) {
  const { t } = useTranslation("rooms");
  const navigate = useNavigate();
  const switching = useSwitcherOpen();
  const dialog = useRoomDialog() !== undefined;
  const needed = { switcher: useEver(switching), dialogs: useEver(dialog) };
  useShortcut({ label: t("switcher.title"), group: "navigation", keys: "mod+k" }, () => {
    if (switching) closeSwitcher();
    else openSwitcher();
  });
  // In a room its own search takes the same keys.
  useShortcut({ label: t("switcher.searchAll"), group: "navigation", keys: "mod+shift+f" }, () => {
    void navigate(searchPath());
  });
  return (
    <Suspense>
      {needed.switcher && <QuickSwitcher actions={actions} />}
      {needed.dialogs && <RoomDialogs />}
    </Suspense>
  );
}

/** Whether it was so once: what was open stays mounted, for its way out to be seen. */
function useEver(on: boolean): boolean {
  const [ever, setEver] = useState(on);
  if (on && !ever) setEver(true);
  return ever || on;
}
