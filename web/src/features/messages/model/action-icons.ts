import { Copy, Link2, MailOpen, Pencil, Pin, PinOff, Reply, SmilePlus, Trash2, X, type LucideIcon } from "lucide-react";
import type { MessageActionId } from "../hooks/use-message-actions";

export const ACTION_ICONS: Readonly<Record<MessageActionId, LucideIcon>> = {
  react: SmilePlus,
  reply: Reply,
  edit: Pencil,
  pin: Pin,
  unpin: PinOff,
  copyText: Copy,
  copyLink: Link2,
  markUnread: MailOpen,
  discard: X,
  delete: Trash2,
};

/** The keys that do it to the message that the keyboard is at. */
export const ACTION_KEYS: Readonly<Partial<Record<MessageActionId, string>>> = {
  react: "+",
  reply: "r",
  edit: "e",
  pin: "p",
  markUnread: "u",
  delete: "Delete",
};
