import { CloudOff, Search } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { Keys } from "@/components/ui/kbd";
import { isEarlyShown } from "@/lib/early";
import { useDelayed } from "@/lib/use-delayed";
import { reconnect, useRoomsStatus } from "@/realtime";
import { useRoomShortcuts } from "../hooks/use-room-shortcuts";
import { useSections } from "../hooks/use-sections";
import { openSwitcher } from "../model/switcher";
import { FirstSteps } from "./first-steps";
import { RoomList } from "./room-list";
import { RowSkeletons } from "./row-skeletons";

/** All of one's rooms, and the ways to more. */
export function Sidebar() {
  const { t } = useTranslation("rooms");
  const sections = useSections();
  useRoomShortcuts(sections);
  return (
    <nav aria-label={t("sidebar.label")} className="flex min-h-0 flex-1 flex-col">
      <div className="px-2 pb-2">
        <button
          type="button"
          className="flex h-8 w-full items-center gap-2 rounded-sm border border-sidebar-border bg-background/60 px-2 text-sidebar-muted transition-colors hover:bg-background hover:text-sidebar-foreground touch:h-11"
          onClick={openSwitcher}
        >
          <Search aria-hidden className="size-4" />
          <span className="flex-1 text-start">{t("switcher.open")}</span>
          <span aria-hidden className="touch:hidden">
            <Keys keys="mod+k" />
          </span>
        </button>
      </div>
      <SidebarBody sections={sections} />
    </nav>
  );
}

function SidebarBody({ sections }: { sections: ReturnType<typeof useSections> }) {
  const { t } = useTranslation("rooms");
  const status = useRoomsStatus();
  const waiting = useDelayed(status === "loading", isEarlyShown() ? 0 : undefined);
  const empty = sections.every((section) => section.rooms.length === 0);
  if (!empty) return <RoomList sections={sections} />;
  if (status === "loading") {
    return waiting ? (
      <div aria-busy="true" aria-label={t("sidebar.loading")}>
        <RowSkeletons />
      </div>
    ) : null;
  }
  if (status === "ready") return <FirstSteps />;
  return (
    <EmptyState
      icon={CloudOff}
      title={t("sidebar.unreached")}
      className="p-4"
      action={<Button onClick={reconnect}>{t("sidebar.retry")}</Button>}
    >
      {t("sidebar.unreachedText")}
    </EmptyState>
  );
}
