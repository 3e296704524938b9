import { Compass, Hash, MessageCircle, Search, Settings, type LucideIcon } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { BROWSE_PATH, searchPath, settingsPath } from "@/lib/paths";
import { allowedOnServer } from "@/lib/permissions";
import { useSession } from "@/realtime";
import { rank } from "../model/fuzzy";
import { openRoomDialog } from "../model/room-dialogs";

export interface SwitcherAction {
  id: string;
  icon: LucideIcon;
  label: string;
  run: () => void;
}

/** What the switcher can do besides going to a room, by what is typed; searching for it is always the last. */
export function useSwitcherActions(query: string, others: readonly SwitcherAction[]): SwitcherAction[] {
  const { t } = useTranslation("rooms");
  const navigate = useNavigate();
  const mayAdd = allowedOnServer(useSession()?.user.role ?? "guest");
  const go = (path: string) => () => void navigate(path);
  const adding: SwitcherAction[] = [
    {
      id: "create",
      icon: Hash,
      label: t("create.title"),
      run: () => openRoomDialog({ kind: "create" }),
    },
    { id: "direct", icon: MessageCircle, label: t("direct.title"), run: () => openRoomDialog({ kind: "direct" }) },
    { id: "browse", icon: Compass, label: t("browse.title"), run: go(BROWSE_PATH) },
  ];
  const all: SwitcherAction[] = [
    ...(mayAdd ? adding : []),
    { id: "settings", icon: Settings, label: t("switcher.settings"), run: go(settingsPath()) },
    ...others,
  ];
  const text = query.trim();
  const found = rank(
    text,
    all.map((item) => ({ item, names: [item.label], at: 0, waiting: false })),
    0,
  );
  if (text === "") return found;
  const search = {
    id: "search",
    icon: Search,
    label: t("switcher.search", { text }),
    run: go(searchPath({ q: text })),
  };
  return [...found, search];
}
