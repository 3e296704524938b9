import { useTranslation } from "react-i18next";
import { useRoomName } from "@/lib/room-name";
import type { RoomState } from "@/realtime";

/** Above the first message of a room. */
export function StartRow({ room }: { room: RoomState }) {
  const { t } = useTranslation("messages");
  const name = useRoomName()(room);
  return (
    <div className="px-4 pt-8 pb-4 md:px-5">
      <h2 className="text-xl font-semibold [overflow-wrap:anywhere]">
        <bdi>{name}</bdi>
      </h2>
      <p className="mt-1 max-w-prose [overflow-wrap:anywhere] text-muted-foreground">
        {room.kind === "direct" ? t("start.direct", { name }) : t("start.room", { name })}
      </p>
      {room.topic !== "" && (
        <p dir="auto" className="mt-1 max-w-prose [overflow-wrap:anywhere]">
          {room.topic}
        </p>
      )}
    </div>
  );
}
