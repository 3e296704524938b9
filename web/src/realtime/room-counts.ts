/**
 * Unread messages and mentions of a room, from its head, the read marker and what this device knows of the events between.
 *
 * Pure. The server counts every event past the marker, since it never counts rows. What a device has seen and is nothing to read (a
 * reaction, an edit, one's own message) it takes off again; what it has not seen counts.
 */

import type { RoomEvent, RoomSummary, Unread } from "./schema.gen";

/** Seqs of quiet events that are remembered of a room. */
const MAX_QUIET = 500;

export interface Counts {
  readonly head: number;
  readonly read: number;
  /** Where the server's marker is, as far as this device has heard; `read` is past it until the server has heard of a reading. */
  readonly known: number;
  /** Ascending seqs of events that are nothing to read. */
  readonly quiet: readonly number[];
  /** Mentions past `read` and up to `counted`, as the server counted them; their places are not known. */
  readonly mentions: number;
  readonly counted: number;
  /** Ascending seqs past `counted` of messages that mention the user. */
  readonly mentioned: readonly number[];
  /** From where the user has marked the room unread, until the server has heard of it. */
  readonly markedFrom?: number;
}

/** Whether what is known is of another history than the server's. Of what a client kept before there were epochs one cannot say. */
export function isOther(known: string | undefined, epoch: string | undefined): boolean {
  return known !== undefined && epoch !== undefined && known !== epoch;
}

/** Whether the server says less than this device knows: its head lags by a moment (ADR 17), or it was set back to a backup unawares. */
export function isBehind(summary: RoomSummary, before: Counts): boolean {
  return summary.head < before.head;
}

/** The counts as the server gives them, with what was known before. */
export function fromSummary(summary: RoomSummary, before?: Counts): Counts {
  const head = Math.max(summary.head, before?.head ?? 0);
  // Where the server's marker went back, the room was marked unread elsewhere.
  const here = before === undefined || summary.read < before.known ? 0 : before.read;
  const fresh: Counts = {
    head,
    read: Math.max(summary.read, here),
    known: summary.read,
    quiet: before?.quiet ?? [],
    mentions: summary.mentions,
    counted: summary.head,
    mentioned: before?.mentioned.filter((seq) => seq > summary.head) ?? [],
  };
  // What was read here and the server has not heard of yet stays read.
  const counts = here > summary.read ? withRead({ ...fresh, read: summary.read }, here) : fresh;
  const markedFrom = before?.markedFrom ?? Infinity;
  return markedFrom > summary.read ? counts : { ...counts, markedFrom };
}

/** The counts after an event, live or synced, in any order and any number of times. */
export function withEvent(counts: Counts, event: RoomEvent, me: string): Counts {
  const head = Math.max(counts.head, event.seq);
  if (event.type !== "message.created" || event.sender_id === me) {
    const quiet = inserted(counts.quiet, event.seq);
    if (quiet === counts.quiet && head === counts.head) return counts;
    return { ...counts, head, quiet: quiet.slice(-MAX_QUIET) };
  }
  const { mentions = [], mentions_room = false } = event.data;
  const concerned = (mentions_room || mentions.includes(me)) && event.seq > Math.max(counts.counted, counts.read);
  const mentioned = concerned ? inserted(counts.mentioned, event.seq) : counts.mentioned;
  if (mentioned === counts.mentioned && head === counts.head) return counts;
  return { ...counts, head, mentioned };
}

/** The counts after the server's log has told how far it goes at least. */
export function withHead(counts: Counts, head: number): Counts {
  return head > counts.head ? { ...counts, head } : counts;
}

/** The counts after everything up to `seq` was read, here or on another device; the marker never goes back. */
export function withRead(counts: Counts, seq: number): Counts {
  const read = Math.min(seq, counts.head);
  if (read <= counts.read) return counts;
  return {
    ...counts,
    read,
    mentions: read >= counts.counted ? 0 : counts.mentions,
    mentioned: counts.mentioned.filter((each) => each > read),
  };
}

/** The counts after the server has told where its marker is, which was not moved back. */
export function withKnown(counts: Counts, read: number): Counts {
  const after = withRead(counts, read);
  return after.known === read ? after : { ...after, known: read };
}

/** The counts after the user has marked the room unread past `seq`, here or elsewhere, and the server has counted what lies there. */
export function withUnread(counts: Counts, seq: number, { head, mentions }: Unread): Counts {
  return withMark(
    {
      ...counts,
      head: Math.max(counts.head, head),
      read: seq,
      known: seq,
      mentions,
      counted: head,
      mentioned: counts.mentioned.filter((each) => each > head),
    },
    undefined,
  );
}

/** The counts with everything from `seq` on shown as unread, until the mark is taken away. */
export function withMark(counts: Counts, seq: number | undefined): Counts {
  if (seq === counts.markedFrom) return counts;
  const unmarked = { ...counts };
  delete unmarked.markedFrom;
  return seq === undefined ? unmarked : { ...unmarked, markedFrom: seq };
}

/** Up to where the user has read, as it is shown. */
export function shownRead(counts: Counts): number {
  return Math.min(counts.read, (counts.markedFrom ?? Infinity) - 1);
}

/** Messages of others past the marker, or past the mark; at most those that the server would count. */
export function unreadOf(counts: Counts): number {
  const read = shownRead(counts);
  const quiet = counts.quiet.filter((seq) => seq > read && seq <= counts.head).length;
  return Math.max(0, counts.head - read - quiet);
}

/** Unread messages that mention the user or the room. */
export function mentionsOf(counts: Counts): number {
  return Math.min(counts.mentions + counts.mentioned.length, unreadOf(counts));
}

/** Up to where the marker may follow by itself: nothing is to be read before that. */
export function quietUpTo(counts: Counts): number {
  return counts.markedFrom === undefined && unreadOf(counts) === 0 ? counts.head : counts.read;
}

function inserted(seqs: readonly number[], seq: number): readonly number[] {
  const place = seqs.findLastIndex((each) => each <= seq);
  return seqs[place] === seq ? seqs : seqs.toSpliced(place + 1, 0, seq);
}
