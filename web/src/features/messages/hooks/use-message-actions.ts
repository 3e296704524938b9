import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { announce } from "@/lib/announce";
import { roomPath } from "@/lib/paths";
import { allowedInRoom } from "@/lib/permissions";
import {
  deleteMessage,
  discardCommand,
  markUnread,
  pinMessage,
  unpinMessage,
  useRoomIdentity,
  useSession,
  type TimelineMessage,
} from "@/realtime";
import { useOpenRoom } from "../model/room-ui";
import { useCopy } from "./use-copy";

export type MessageActionId =
  "react" | "reply" | "edit" | "pin" | "unpin" | "copyText" | "copyLink" | "markUnread" | "discard" | "delete";

export interface MessageActions {
  /** What may be done to a message, in the order of menus. */
  list: (message: TimelineMessage) => MessageActionId[];
  /** Do it; `anchor` is where a picker opens. */
  run: (id: MessageActionId, message: TimelineMessage, anchor: HTMLElement) => void;
}

/** What one may do to a message, by toolbar, menu and keyboard alike. */
export function useMessageActions(): MessageActions {
  const { t } = useTranslation("messages");
  const { roomId, ui, focusComposer } = useOpenRoom();
  const copy = useCopy();
  const user = useSession()?.user;
  const roomRole = useRoomIdentity(roomId)?.role;
  const userId = user?.id;
  const role = user?.role;

  const list = useCallback(
    (message: TimelineMessage): MessageActionId[] => {
      if (role === undefined || message.deleted_at !== undefined) return [];
      if (message.seq === 0) {
        if (message.state === "failed") return ["copyText"]; // the rest stands beside the reason
        // What may be on its way cannot be taken back: it is deleted once it has arrived.
        const unsent = message.command === undefined && message.recallable === true;
        return ["edit", "copyText", unsent ? "discard" : "delete"];
      }
      const may = (permission: Parameters<typeof allowedInRoom>[2]) =>
        roomRole !== undefined && allowedInRoom(role, roomRole, permission);
      const own = message.sender_id === userId;
      const actions: (MessageActionId | false)[] = [
        may("react") && "react",
        may("send") && "reply",
        own && may("send") && "edit",
        may("pin") && (message.pinned_at === undefined ? "pin" : "unpin"),
        "copyText",
        "copyLink",
        roomRole !== undefined && !own && "markUnread",
        (own || may("delete_any")) && "delete",
      ];
      return actions.filter((action) => action !== false);
    },
    [role, roomRole, userId],
  );

  const run = useCallback(
    (id: MessageActionId, message: TimelineMessage, anchor: HTMLElement) => {
      switch (id) {
        case "react":
          ui.setState({ picker: { message, anchor } });
          break;
        case "reply":
          ui.setState({ replyTo: message });
          focusComposer();
          break;
        case "edit":
          ui.setState({ editing: message.key });
          break;
        case "pin":
          void pinMessage(roomId, message.id);
          break;
        case "unpin":
          void unpinMessage(roomId, message.id);
          break;
        case "copyText":
          copy(message.text, t("copy.text"));
          break;
        case "copyLink":
          copy(new URL(roomPath(roomId, message.id), window.location.origin).href, t("copy.link"));
          break;
        case "markUnread":
          ui.setState({ unreadAfter: message.seq - 1, keptUnread: true });
          markUnread(roomId, message.seq);
          break;
        case "discard":
          void discardCommand(message.clientId);
          break;
        case "delete":
          void deleteMessage(roomId, message.id);
          announce(t("deleted.notice"));
          break;
      }
    },
    [roomId, ui, focusComposer, copy, t],
  );
  return { list, run };
}
