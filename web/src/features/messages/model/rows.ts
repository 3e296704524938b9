/** What a room's timeline is made of, line by line. Pure. */

import type { TimelineItem, TimelineMessage, TimelineNotice } from "@/realtime";
import { dayOf } from "@/lib/time";

/** Messages of one author that follow each other within so long are one group: its first one has the name. */
export const GROUP_MS = 5 * 60_000;

/**
 * The lines above an event belong to its row: a row of their own would come and go as older events are loaded, and what the view
 * keeps its place by must not.
 */
interface Separated {
  key: string;
  /** A new day begins here: its time. */
  day: number | undefined;
  /** What follows is new. */
  unread: boolean;
}

export interface MessageRow extends Separated {
  kind: "message";
  message: TimelineMessage;
  /** Goes on in the group of the message above it. */
  grouped: boolean;
}

export interface NoticeRow extends Separated {
  kind: "notice";
  notice: TimelineNotice;
}

export type Row = { kind: "start"; key: string } | MessageRow | NoticeRow;

export interface RowsOptions {
  me: string;
  /** The items begin where the room begins. */
  complete: boolean;
  /** The seq after which the line "New" stands; undefined for none. */
  unreadAfter: number | undefined;
}

/** The row that an item was last, of as many items as are held. */
const lastRows = new WeakMap<TimelineItem, MessageRow | NoticeRow>();

/** The row of an item: the very same object while nothing of it changes, so that it is not drawn again. */
function rowOf(item: TimelineItem, grouped: boolean, day: number | undefined, unread: boolean): MessageRow | NoticeRow {
  const last = lastRows.get(item);
  if (last?.day === day && last?.unread === unread && (last.kind === "notice" || last.grouped === grouped)) return last;
  const separated = { key: item.key, day, unread };
  const row: MessageRow | NoticeRow =
    item.type === "notice"
      ? { kind: "notice", notice: item, ...separated }
      : { kind: "message", message: item, grouped, ...separated };
  lastRows.set(item, row);
  return row;
}

/** The rows of contiguous `items`, oldest first. Their keys stay the same while items come, go and change. */
export function rowsOf(items: readonly TimelineItem[], { me, complete, unreadAfter }: RowsOptions): Row[] {
  const rows: Row[] = complete ? [{ kind: "start", key: "start" }] : [];
  const ended = endedCalls(items);
  let previous: TimelineItem | undefined;
  let day = { from: Infinity, to: -Infinity };
  let marked = unreadAfter === undefined || isNewAbove(items, { complete, unreadAfter });
  for (const item of items) {
    // A call that is over has one line: how it ended.
    if (item.type === "notice" && item.event.type === "call.started" && ended.has(item.event.data.call_id)) continue;
    const newDay = item.at < day.from || item.at >= day.to;
    if (newDay) day = dayOf(item.at);
    const unread = !marked && item.seq > (unreadAfter ?? 0) && !isOwn(item, me);
    marked ||= unread;
    const grouped = !newDay && !unread && follows(previous, item);
    rows.push(rowOf(item, grouped, newDay ? item.at : undefined, unread));
    previous = item;
  }
  return rows;
}

/** Whether what is new begins further up than what is held: then no line can say where. */
export function isNewAbove(
  items: readonly TimelineItem[],
  { complete, unreadAfter }: Pick<RowsOptions, "complete" | "unreadAfter">,
): boolean {
  if (complete || unreadAfter === undefined) return false;
  const first = items.find(({ seq }) => seq > 0)?.seq;
  return first !== undefined && first > unreadAfter + 1;
}

function follows(previous: TimelineItem | undefined, message: TimelineItem): boolean {
  return (
    previous?.type === "message" &&
    message.type === "message" &&
    previous.sender_id === message.sender_id &&
    message.at - previous.at < GROUP_MS &&
    message.reply_to === undefined &&
    previous.deleted_at === undefined &&
    message.deleted_at === undefined
  );
}

function isOwn(item: TimelineItem, me: string): boolean {
  return item.type === "message" ? item.sender_id === me : item.event.sender_id === me;
}

function endedCalls(items: readonly TimelineItem[]): Set<string> {
  const ended = new Set<string>();
  for (const item of items)
    if (item.type === "notice" && item.event.type === "call.ended") ended.add(item.event.data.call_id);
  return ended;
}

/** The index of the row that shows the event `seq`, or the first one after it; -1 where all are older. */
export function indexOfSeq(rows: readonly Row[], seq: number): number {
  return rows.findIndex((row) => {
    const placed = seqOf(row);
    return placed !== undefined && placed >= seq;
  });
}

/** The seq of a row's event; undefined for lines between events and for what the server has not placed yet. */
export function seqOf(row: Row): number | undefined {
  if (row.kind === "notice") return row.notice.seq;
  if (row.kind === "message" && row.message.seq > 0) return row.message.seq;
  return undefined;
}

/** The next row that is a message, from `index` on upwards (-1) or downwards (1). */
export function nextMessage(rows: readonly Row[], index: number, step: 1 | -1): MessageRow | undefined {
  for (let at = index; at >= 0 && at < rows.length; at += step) {
    const row = rows[at];
    if (row?.kind === "message") return row;
  }
  return undefined;
}

/**
 * Who has read up to which message: the ids of readers by the seq of the last message that each has read. Markers above the
 * last one belong to it, and those of readers further up than the first are left out.
 */
export function readersBySeq(
  items: readonly TimelineItem[],
  reads: ReadonlyMap<string, number>,
  me: string,
): ReadonlyMap<number, readonly string[]> {
  const readers = new Map<number, string[]>();
  for (const [userId, marker] of reads) {
    if (userId === me) continue;
    const message = lastUpTo(items, marker);
    if (message === undefined || message.sender_id === userId) continue; // that authors have read their own is no news
    const there = readers.get(message.seq);
    if (there === undefined) readers.set(message.seq, [userId]);
    else there.push(userId);
  }
  return readers;
}

/** The last message up to a seq, of items that ascend by it; what the server has not placed comes last, with 0. */
function lastUpTo(items: readonly TimelineItem[], limit: number): TimelineMessage | undefined {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const seq = items[middle]?.seq ?? 0;
    if (seq > 0 && seq <= limit) low = middle + 1;
    else high = middle;
  }
  for (let index = low - 1; index >= 0; index--) {
    const item = items[index];
    if (item?.type === "message") return item;
  }
  return undefined;
}
