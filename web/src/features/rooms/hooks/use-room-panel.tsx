import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import type { PageProps } from "@/components/page";
import { usePanel } from "@/lib/panel";
import type { RoomIdentity } from "@/realtime";

const RoomPanel = lazy(async () => ({ default: (await import("../components/room-panel")).RoomPanel }));

const TABS = ["details", "members", "pins"] as const;

export type RoomPanelTab = (typeof TABS)[number];

/** What of a room is open beside it, for `Page`; undefined where it is nothing of this feature. */
export function useRoomPanel(room: RoomIdentity | undefined): PageProps["panel"] {
  const { t } = useTranslation("rooms");
  const { panel, open, close } = usePanel();
  const tab = TABS.find((one) => one === panel);
  if (tab === undefined || room === undefined) return undefined;
  return {
    title: t("details.open"),
    onClose: close,
    content: (
      <Suspense>
        <RoomPanel room={room} tab={tab} onTab={open} />
      </Suspense>
    ),
  };
}
