/** The rooms that one is in: the list, the switcher, what a room is and who is in it. What few open comes in chunks of its own. */

import { lazy } from "react";

export { RoomHeader } from "./components/room-header";
export { RoomOverlays } from "./components/room-overlays";
export { Sidebar } from "./components/sidebar";
export { useRoomPanel } from "./hooks/use-room-panel";
export type { SwitcherAction } from "./hooks/use-switcher-actions";

export const BrowsePage = lazy(async () => ({ default: (await import("./components/browse-page")).BrowsePage }));
