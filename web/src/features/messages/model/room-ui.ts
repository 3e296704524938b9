/** What one has under one's hands in an open room: which message is edited, answered, chosen. Nothing of it is kept. */

import { createContext, use } from "react";
import { createStore, useStore, type StoreApi } from "zustand";
import type { TimelineMessage } from "@/realtime";

export interface RoomUi {
  /** The seq after which the line "New" stands; undefined for none. */
  unreadAfter: number | undefined;
  /** Somebody marked the room unread, so that it is not read by being open. */
  keptUnread: boolean;
  /** The key of the row that the keyboard is at. */
  current: string | undefined;
  editing: string | undefined;
  replyTo: TimelineMessage | undefined;
  /** Shown for a moment in another colour, as one has come for it. */
  highlighted: string | undefined;
  /** Long messages that are shown whole. */
  expanded: ReadonlySet<string>;
  /** Which message is reacted to, and the element that the picker opens at. */
  picker: { message: TimelineMessage; anchor: HTMLElement } | undefined;
  /** Whose menu is open on a phone. */
  sheet: TimelineMessage | undefined;
}

export function createRoomUi(unreadAfter: number | undefined): StoreApi<RoomUi> {
  return createStore<RoomUi>(() => ({
    unreadAfter,
    keptUnread: false,
    current: undefined,
    editing: undefined,
    replyTo: undefined,
    highlighted: undefined,
    expanded: new Set(),
    picker: undefined,
    sheet: undefined,
  }));
}

export interface OpenRoom {
  roomId: string;
  ui: StoreApi<RoomUi>;
  /** Show a message, wherever in the room it is. */
  jumpTo: (target: number | string) => void;
  focusComposer: () => void;
}

export const OpenRoomContext = createContext<OpenRoom | undefined>(undefined);

export function useOpenRoom(): OpenRoom {
  const room = use(OpenRoomContext);
  if (room === undefined) throw new Error("there is no open room around this component");
  return room;
}

export function useRoomUi<Part>(select: (ui: RoomUi) => Part): Part {
  return useStore(useOpenRoom().ui, select);
}
