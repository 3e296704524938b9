import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { roomPath } from "@/lib/paths";
import { useShortcut } from "@/lib/shortcuts";
import { markRead, roomOf, type ListedRoom } from "@/realtime";
import { isUnread, neighbour, type Section } from "../model/sections";
import { useOpenRoomId } from "./use-sections";

/** Moving between rooms by keyboard, in the order of the sidebar. */
export function useRoomShortcuts(sections: readonly Section[]): void {
  const { t } = useTranslation("rooms");
  const navigate = useNavigate();
  const openId = useOpenRoomId();

  const go = (step: 1 | -1, accept?: (room: ListedRoom) => boolean) => {
    // A collapsed section is passed over, but not what is unread in it: that shows.
    const room = neighbour(
      sections.flatMap((section) => section.shown),
      openId,
      step,
      accept,
    );
    if (room !== undefined) void navigate(roomPath(room.id));
  };
  const group = "navigation";
  useShortcut({ label: t("shortcuts.next"), group, keys: "alt+ArrowDown" }, () => go(1));
  useShortcut({ label: t("shortcuts.previous"), group, keys: "alt+ArrowUp" }, () => go(-1));
  useShortcut({ label: t("shortcuts.nextUnread"), group, keys: "alt+shift+ArrowDown" }, () => go(1, isUnread));
  useShortcut({ label: t("shortcuts.previousUnread"), group, keys: "alt+shift+ArrowUp" }, () => go(-1, isUnread));
  useShortcut({ label: t("shortcuts.allRead"), group, keys: "shift+Escape" }, () => {
    for (const { id } of sections.flatMap((section) => section.rooms)) {
      const room = roomOf(id);
      if (room !== undefined && (room.unread > 0 || room.mentions > 0)) markRead(id, room.head);
    }
  });
}
