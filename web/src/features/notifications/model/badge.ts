/** What waits, for the title, the tab's icon and the app's icon. Pure. */

import type { ListedRoom } from "@/realtime";

export interface Waiting {
  /** Mentions, and everything in direct rooms. */
  count: number;
  /** Anything at all. */
  unread: boolean;
}

export function waitingIn(rooms: readonly ListedRoom[]): Waiting {
  const heard = rooms.filter((room) => room.level !== "none");
  return {
    count: heard.reduce((sum, room) => sum + (room.kind === "direct" ? room.unread : room.mentions), 0),
    unread: heard.some((room) => room.unread > 0),
  };
}
