import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { useErrorText } from "@/lib/error-text";
import { useRoomName } from "@/lib/room-name";
import { toast } from "@/lib/toast";
import { setNotificationLevel, useRooms, type NotificationLevel } from "@/realtime";

const LEVELS: readonly NotificationLevel[] = ["all", "mentions", "none"];

/** From this many rooms on there is a field to find one. */
const SEARCH_FROM = 8;

/** What each room notifies of; kept by the server, for all devices. */
export function RoomLevels() {
  const { t } = useTranslation("notifications");
  const errorText = useErrorText();
  const nameOf = useRoomName();
  const rooms = useRooms();
  const [text, setText] = useState("");
  const wanted = text.trim().toLocaleLowerCase();
  const shown = rooms
    .map((room) => ({ room, name: room.kind === "direct" ? nameOf(room) : `#${room.name}` }))
    .filter(({ name }) => name.toLocaleLowerCase().includes(wanted))
    .sort((a, b) => a.name.localeCompare(b.name));
  const change = (roomId: string, level: NotificationLevel) => {
    setNotificationLevel(roomId, level).catch((error: unknown) => toast(errorText(error), { kind: "error" }));
  };
  if (rooms.length === 0) return null;
  return (
    <section className="mt-6">
      <h3 className="text-lg font-semibold">{t("rooms.title")}</h3>
      <p className="mt-0.5 text-sm text-muted-foreground">{t("rooms.text")}</p>
      {rooms.length >= SEARCH_FROM && (
        <Input
          type="search"
          aria-label={t("rooms.search")}
          placeholder={t("rooms.search")}
          className="mt-3"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      )}
      <ul className="mt-2">
        {shown.map(({ room, name }) => (
          <li key={room.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b py-2">
            <bdi className="min-w-[min(8rem,100%)] flex-1 truncate">{name}</bdi>
            <Select
              aria-label={t("rooms.level", { room: name })}
              className="w-44 max-w-full shrink-0"
              value={room.level}
              onChange={(event) => change(room.id, event.target.value as NotificationLevel)}
            >
              {LEVELS.map((level) => (
                <option key={level} value={level}>
                  {t(`rooms.levels.${level}`)}
                </option>
              ))}
            </Select>
          </li>
        ))}
      </ul>
    </section>
  );
}
