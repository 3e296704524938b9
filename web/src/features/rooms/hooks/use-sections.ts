import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useMatch } from "react-router";
import { localeTag } from "@/lib/i18n";
import { useListedRooms } from "@/realtime";
import { sectionsOf, type Section } from "../model/sections";
import { useSidebarState } from "../model/sidebar-state";

export function useOpenRoomId(): string | undefined {
  return useMatch("/r/:roomId/*")?.params.roomId;
}

/** The rooms as the sidebar orders them. */
export function useSections(): Section[] {
  const { i18n } = useTranslation();
  const rooms = useListedRooms();
  const collapsed = useSidebarState((state) => state.collapsed);
  const openId = useOpenRoomId();
  const compare = useMemo(
    () => new Intl.Collator(localeTag(i18n.language), { numeric: true, sensitivity: "base" }).compare,
    [i18n.language],
  );
  return useMemo(() => sectionsOf(rooms, { collapsed, openId, compare }), [rooms, collapsed, openId, compare]);
}
