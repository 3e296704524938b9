/** A window as a list of items: messages with what the outbox holds, and notices between them. Pure. */

import type { Entries } from "./outbox-rules";
import { overlaid } from "./outbox-view";
import type { RoomWindow } from "./room-window";
import type { RoomEvent } from "./schema.gen";
import type { Timeline, TimelineItem, TimelineMessage, TimelineNotice } from "./types";

/** What is to be shown of a room; without a window only what is on its way there. */
export function shownItems(
  window: RoomWindow | undefined,
  entries: Entries,
  me: string,
): Pick<Timeline, "items" | "messages"> {
  const messages = overlaid(window?.view.messages ?? [], entries, me, window?.live ?? true);
  return { items: window === undefined ? messages : withNoticesBetween(messages, window), messages };
}

/** The messages with the notices among them, by seq; what has no place yet comes last. */
function withNoticesBetween(messages: readonly TimelineMessage[], { notices }: RoomWindow): TimelineItem[] {
  const items: TimelineItem[] = [];
  let next = 0;
  for (const message of messages) {
    const place = message.seq > 0 ? message.seq : Infinity;
    for (; next < notices.length && (notices[next]?.seq ?? Infinity) < place; next++) push(items, notices[next]);
    items.push(message);
  }
  for (; next < notices.length; next++) push(items, notices[next]);
  return items;
}

const shownNotices = new WeakMap<RoomEvent, TimelineNotice>();

function push(items: TimelineItem[], event: TimelineNotice["event"] | undefined): void {
  if (event === undefined) return;
  let notice = shownNotices.get(event);
  if (notice === undefined) {
    notice = { type: "notice", key: event.id, seq: event.seq, at: event.at, event };
    shownNotices.set(event, notice);
  }
  items.push(notice);
}
