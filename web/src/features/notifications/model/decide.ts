/** Whether an event is worth a notification: one table, pure. */

import type { NotificationLevel, RoomEvent } from "@/realtime";

export interface Circumstances {
  /** The user's own id. */
  me: string;
  /** The level of the event's room; undefined where the user is not in it. */
  level: NotificationLevel | undefined;
  /** Somebody looks at that room, in this tab or another. */
  watched: boolean;
  quiet: boolean;
  now: number;
}

export type Verdict =
  "notify" | "no-message" | "own" | "old" | "not-a-member" | "muted" | "no-mention" | "watched" | "quiet";

/** What is caught up on after a longer absence is told by the badges, not by a burst of notifications. */
const FRESH_MS = 90_000;

export function mentionsMe(event: RoomEvent, me: string): boolean {
  if (event.type !== "message.created") return false;
  return event.data.mentions_room === true || event.data.mentions?.includes(me) === true;
}

/** The first reason against it, or `notify`. */
export function decide(event: RoomEvent, { me, level, watched, quiet, now }: Circumstances): Verdict {
  if (event.type !== "message.created") return "no-message";
  if (event.sender_id === me) return "own";
  if (now - event.at > FRESH_MS) return "old";
  if (level === undefined) return "not-a-member";
  if (level === "none") return "muted";
  if (level === "mentions" && !mentionsMe(event, me)) return "no-mention";
  if (watched) return "watched";
  if (quiet) return "quiet";
  return "notify";
}
