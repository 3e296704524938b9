/** Which dialog about rooms is open: menus, the switcher and empty states all open the same ones. */

import { createStore, useStore } from "zustand";

export type RoomDialog =
  | { kind: "create"; name?: string }
  | { kind: "direct" }
  | { kind: "invite"; roomId: string }
  | { kind: "leave"; roomId: string };

const store = createStore<{ dialog: RoomDialog | undefined }>(() => ({ dialog: undefined }));

export function openRoomDialog(dialog: RoomDialog): void {
  store.setState({ dialog });
}

export function closeRoomDialog(): void {
  store.setState({ dialog: undefined });
}

export function useRoomDialog(): RoomDialog | undefined {
  return useStore(store, ({ dialog }) => dialog);
}
