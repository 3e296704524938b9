/** The rooms that one is in: the list, the switcher, what a room is and who is in it. What few open comes in chunks of its own. */

import { lazy } from "react";

export { RoomOverlays } from "./components/room-overlays";
export { Sidebar } from "./components/sidebar";
export type { SwitcherAction } from "./hooks/use-switcher-actions";

export const BrowsePage = lazy(async () => ({ default: (await import("./components/browse-page")).BrowsePage }));
