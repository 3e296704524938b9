import { useTranslation } from "react-i18next";
import { useSession, type Profile } from "@/realtime";

export interface Named {
  name: string;
  kind: string;
  peer?: Profile;
}

/** What to call a room: its name, the other person of a direct one, or one's own notes. */
export function useRoomName(): (room: Named) => string {
  const { t } = useTranslation();
  const self = useSession()?.user.display_name ?? "";
  return (room) => {
    if (room.kind !== "direct") return room.name;
    return room.peer?.display_name ?? t("roomName.self", { name: self });
  };
}
