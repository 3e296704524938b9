import { useTranslation } from "react-i18next";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";
import type { RoomIdentity } from "@/realtime";
import type { RoomPanelTab } from "../hooks/use-room-panel";
import { AboutTab } from "./about-tab";
import { MembersTab } from "./members-tab";
import { PinsTab } from "./pins-tab";

export interface RoomPanelProps {
  room: RoomIdentity;
  tab: RoomPanelTab;
  onTab: (tab: string) => void;
}

/** A room beside its conversation: what it is, who is in it, what is pinned. */
export function RoomPanel({ room, tab, onTab }: RoomPanelProps) {
  const { t } = useTranslation("rooms");
  const direct = room.kind === "direct";
  const content = "flex min-h-0 flex-1 flex-col data-[state=inactive]:hidden";
  return (
    <Tabs
      value={direct && tab === "members" ? "details" : tab}
      onValueChange={onTab}
      className="flex min-h-0 flex-1 flex-col"
    >
      <TabsList className="px-4" aria-label={t("details.open")}>
        <TabsTrigger value="details">{t("details.about")}</TabsTrigger>
        {!direct && <TabsTrigger value="members">{t("members.title")}</TabsTrigger>}
        <TabsTrigger value="pins">{t("pins.tab")}</TabsTrigger>
      </TabsList>
      <TabsContent value="details" className={content}>
        <AboutTab room={room} />
      </TabsContent>
      <TabsContent value="members" className={content}>
        <MembersTab room={room} />
      </TabsContent>
      <TabsContent value="pins" className={content}>
        <PinsTab room={room} />
      </TabsContent>
    </Tabs>
  );
}
