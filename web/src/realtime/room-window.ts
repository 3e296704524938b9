/**
 * A contiguous part of one room's log, as this device holds it: pages and live events merged, in whatever order they come.
 *
 * Pure. Messages are as they are at `view.head`, or newer. A window that is `live` reaches the end of the room and grows with it; one
 * that is not (somebody looks at history) takes changes to what it holds, and no new messages. Events past a gap wait in `early`
 * until what lies between has come. The last events applied stay in `recent`, since a page may arrive that was made before them.
 */

import { apply, applyToMessages, type RoomView } from "./reconcile";
import type { Message, MessagePage, RoomEvent, RoomSync } from "./schema.gen";
import type { TimelineNotice } from "./types";

/** Entries that a window holds at most after a page was added to it; a live one may grow to twice as many before it is cut. */
export const MAX_ENTRIES = 1_500;
const MAX_EARLY = 500;
const MAX_RECENT = 300;

type Notice = TimelineNotice["event"];

export interface RoomWindow {
  readonly view: RoomView;
  /** What stands among the messages, ascending by seq. */
  readonly notices: readonly Notice[];
  /** The seqs between which it holds every message and every notice; one that is live holds them to its head. */
  readonly from: number;
  readonly upto: number;
  /** Whether it begins with the room. */
  readonly complete: boolean;
  /** Whether it reaches the room's last. */
  readonly live: boolean;
  readonly early: readonly RoomEvent[];
  readonly recent: readonly RoomEvent[];
}

/** What is kept of a window on the device. */
export interface SavedWindow {
  head: number;
  messages: readonly Message[];
  notices: readonly Notice[];
  from: number;
  complete: boolean;
  /** The server's history that it is a part of. */
  epoch?: string;
}

/** Messages and notices of one stretch of the log. */
type Entries = Pick<SavedWindow, "messages" | "notices">;

/** The latest page of a room, or with `around` one from its history, in place of `before`, whose events go on. */
export function fromPage(page: MessagePage, limit: number, { around = false, before }: FromPage = {}): RoomWindow {
  const entries = entriesOf(page);
  const seqs = seqsOf(entries);
  const complete = !around && seqs.length < limit;
  const upto = seqs.at(-1) ?? 0;
  const window: RoomWindow = {
    view: { head: page.head, messages: entries.messages },
    notices: entries.notices,
    from: complete ? 1 : (seqs[0] ?? 1),
    upto,
    complete,
    live: !around || upto >= page.head,
    early: [],
    recent: [],
  };
  return receiveAll(window, before === undefined ? [] : [...before.recent, ...before.early]);
}

interface FromPage {
  around?: boolean;
  before?: RoomWindow | undefined;
}

/** What the device kept of a room; `events` arrived since. */
export function fromSaved(saved: SavedWindow, events: readonly RoomEvent[] = []): RoomWindow {
  const { head, messages, ...rest } = saved;
  return receiveAll({ ...rest, view: { head, messages }, upto: head, live: true, early: [], recent: [] }, events);
}

/** The last `count` entries, to be kept on the device; undefined where the window does not reach the room's end. */
export function toSaved(window: RoomWindow, count: number): SavedWindow | undefined {
  if (!window.live) return undefined;
  const { view, notices, from, complete } = last(window, count);
  return { head: view.head, messages: view.messages, notices, from, complete };
}

/** The window after an event, live or synced, in any order and any number of times. */
export function receive(window: RoomWindow, event: RoomEvent): RoomWindow {
  if (event.seq <= window.view.head) return window;
  if (event.seq > window.view.head + 1) return { ...window, early: waiting(window.early, event) };
  let after = applied(window, event);
  while (after.early[0] !== undefined && after.early[0].seq <= after.view.head + 1) {
    const [next, ...rest] = after.early;
    after = next.seq <= after.view.head ? { ...after, early: rest } : applied({ ...after, early: rest }, next);
  }
  return cut(after);
}

/** The window after some events. */
export function receiveAll(window: RoomWindow, events: readonly RoomEvent[]): RoomWindow {
  return events.reduce(receive, window);
}

/** Whether events are missing between what was applied and what has come, or what the room is known to hold. */
export function hasGap(window: RoomWindow, head = 0): boolean {
  return window.early.length > 0 || head > window.view.head;
}

/** The window after an answer to `sync` from `asked` on; undefined where a fresh page is needed instead. */
export function caughtUp(window: RoomWindow, asked: number, sync: RoomSync): RoomWindow | undefined {
  if (!sync.reset) return receiveAll(window, sync.events);
  const forgotten = sync.head < asked; // the server was set back to a backup
  return !forgotten && sync.head <= window.view.head ? window : undefined;
}

/** The window with the page before its beginning; undefined where the page is older than what is remembered of events. */
export function withOlder(window: RoomWindow, page: MessagePage, limit: number): RoomWindow | undefined {
  const older = brought(window, page);
  if (older === undefined) return undefined;
  const seqs = seqsOf(older);
  const complete = seqs.length < limit;
  return first({
    ...window,
    view: { head: window.view.head, messages: [...older.messages, ...window.view.messages] },
    notices: [...older.notices, ...window.notices],
    from: complete ? 1 : (seqs[0] ?? window.from),
    complete,
  });
}

/** The window with the page after its end; undefined as `withOlder`. */
export function withNewer(window: RoomWindow, page: MessagePage, limit: number): RoomWindow | undefined {
  const newer = brought(window, page);
  if (newer === undefined) return undefined;
  const seqs = seqsOf(newer);
  const live = seqs.length < limit;
  let { head } = window.view;
  let messages: readonly Message[] = [...window.view.messages, ...newer.messages];
  let notices: readonly Notice[] = [...window.notices, ...newer.notices];
  if (live && page.head < head) {
    // What came after the page was made and before now: `brought` has made sure that `recent` holds all of it.
    const since = window.recent.filter((each) => each.seq > page.head);
    ({ head, messages } = since.reduce(apply, { head: page.head, messages }));
    notices = since.reduce(withNotice, notices);
  }
  return last({ ...window, view: { head, messages }, notices, upto: seqs.at(-1) ?? window.upto, live }, MAX_ENTRIES);
}

/** A page's entries, ascending, with the events that this device applied after it was made. */
function brought(window: RoomWindow, page: MessagePage): Entries | undefined {
  const entries = entriesOf(page);
  if (page.head >= window.view.head) return entries;
  if ((window.recent[0]?.seq ?? Infinity) > page.head + 1) return undefined;
  const since = window.recent.filter((each) => each.seq > page.head);
  return { ...entries, messages: since.reduce(applyToMessages, entries.messages) };
}

function entriesOf({ messages, events }: MessagePage): Entries {
  return { messages: messages.toReversed(), notices: events.filter(isNotice).reverse() };
}

/** The seqs of entries, ascending. */
function seqsOf({ messages, notices }: Entries): number[] {
  return [...messages, ...notices].map((each) => each.seq).sort((a, b) => a - b);
}

function applied(window: RoomWindow, event: RoomEvent): RoomWindow {
  const { view, live } = window;
  const begins = event.type === "message.created";
  return {
    ...window,
    view: begins && !live ? { head: event.seq, messages: view.messages } : apply(view, event),
    notices: live ? withNotice(window.notices, event) : window.notices,
    recent: [...window.recent.slice(-MAX_RECENT + 1), event],
  };
}

/** Notices with one that is new; a page may have brought it already. */
function withNotice(notices: readonly Notice[], event: RoomEvent): readonly Notice[] {
  if (!isNotice(event)) return notices;
  const place = notices.findLastIndex((each) => each.seq <= event.seq);
  return notices[place]?.seq === event.seq ? notices : notices.toSpliced(place + 1, 0, event);
}

function waiting(early: readonly RoomEvent[], event: RoomEvent): readonly RoomEvent[] {
  const place = early.findLastIndex((each) => each.seq <= event.seq);
  if (early[place]?.seq === event.seq) return early;
  return early.toSpliced(place + 1, 0, event).slice(-MAX_EARLY);
}

function cut(window: RoomWindow): RoomWindow {
  return sizeOf(window) <= 2 * MAX_ENTRIES ? window : last(window, MAX_ENTRIES);
}

/** The window without what is too much at its end. */
function first(window: RoomWindow): RoomWindow {
  if (sizeOf(window) <= MAX_ENTRIES) return window;
  const { view, notices } = window;
  const upto = seqsOf({ messages: view.messages, notices })[MAX_ENTRIES - 1] ?? window.upto;
  return { ...within(window, (seq) => seq <= upto), upto, live: false };
}

/** The window without what is more than `count` entries at its beginning. */
export function last(window: RoomWindow, count: number): RoomWindow {
  const superfluous = sizeOf(window) - count;
  if (superfluous <= 0) return window;
  const { view, notices } = window;
  const from = seqsOf({ messages: view.messages, notices })[superfluous] ?? view.head + 1;
  return { ...within(window, (seq) => seq >= from), from, complete: false };
}

function within(window: RoomWindow, held: (seq: number) => boolean): RoomWindow {
  const messages = window.view.messages.filter((each) => held(each.seq));
  const notices = window.notices.filter((each) => held(each.seq));
  return { ...window, view: { head: window.view.head, messages }, notices };
}

function sizeOf({ view, notices }: RoomWindow): number {
  return view.messages.length + notices.length;
}

/** Whether an event is shown between messages. */
export function isNotice(event: RoomEvent): event is Notice {
  switch (event.type) {
    case "member.joined":
    case "member.left":
    case "room.updated":
    case "call.started":
    case "call.ended":
      return true;
    default:
      return false;
  }
}
