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

/** Messages that a window holds at most after a page was added to it; a live one may grow to twice as many before it is cut. */
export const MAX_MESSAGES = 1_500;
const MAX_EARLY = 500;
const MAX_RECENT = 300;
const MAX_NOTICES = 300;

export interface RoomWindow {
  readonly view: RoomView;
  readonly notices: readonly TimelineNotice["event"][];
  /** Whether it begins with the room's first message. */
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
  notices: readonly TimelineNotice["event"][];
  complete: boolean;
}

/** The latest page of a room, or with `around` one from its history, in place of `before`, whose events go on. */
export function fromPage(page: MessagePage, limit: number, { around = false, before }: FromPage = {}): RoomWindow {
  const messages = page.messages.toReversed();
  const window: RoomWindow = {
    view: { head: page.head, messages },
    notices: before?.notices.filter((each) => each.seq <= page.head) ?? [],
    complete: !around && messages.length < limit,
    live: !around || (messages.at(-1)?.seq ?? 0) >= page.head,
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
  const { head, messages, notices, complete } = saved;
  return receiveAll({ view: { head, messages }, notices, complete, live: true, early: [], recent: [] }, events);
}

/** The last `count` messages, to be kept on the device; undefined where the window does not reach the room's end. */
export function toSaved(window: RoomWindow, count: number): SavedWindow | undefined {
  if (!window.live) return undefined;
  const messages = window.view.messages.slice(-count);
  const from = messages.length < window.view.messages.length ? (messages[0]?.seq ?? 0) : 0;
  return {
    head: window.view.head,
    messages,
    notices: window.notices.filter((each) => each.seq >= from),
    complete: window.complete && messages.length === window.view.messages.length,
  };
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

/** The window with notices from before it was held, which no page has; `events` are dense, from any seq up to its head. */
export function withNotices(window: RoomWindow, events: readonly RoomEvent[]): RoomWindow {
  const bySeq = new Map(window.notices.map((each) => [each.seq, each]));
  for (const event of events) if (isNotice(event) && event.seq <= window.view.head) bySeq.set(event.seq, event);
  if (bySeq.size === window.notices.length) return window;
  const notices = [...bySeq.values()].sort((a, b) => a.seq - b.seq).slice(-MAX_NOTICES);
  return { ...window, notices };
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

/** The window with the page before its first message; undefined where the page is older than what is remembered of events. */
export function withOlder(window: RoomWindow, page: MessagePage, limit: number): RoomWindow | undefined {
  const older = brought(window, page);
  if (older === undefined) return undefined;
  const messages = [...older, ...window.view.messages];
  const kept = messages.slice(0, MAX_MESSAGES);
  return {
    ...window,
    view: { head: window.view.head, messages: kept },
    complete: page.messages.length < limit,
    live: window.live && kept.length === messages.length,
  };
}

/** The window with the page after its last message; undefined as `withOlder`. */
export function withNewer(window: RoomWindow, page: MessagePage, limit: number): RoomWindow | undefined {
  const newer = brought(window, page);
  if (newer === undefined) return undefined;
  const live = page.messages.length < limit;
  let view: RoomView = { head: window.view.head, messages: [...window.view.messages, ...newer] };
  if (live && page.head < view.head) {
    // What began after the page was made and before now: `brought` has made sure that `recent` holds all of it.
    const since = window.recent.filter((each) => each.seq > page.head);
    view = { head: view.head, messages: since.reduce(apply, { head: page.head, messages: view.messages }).messages };
  }
  const kept = view.messages.slice(-MAX_MESSAGES);
  return {
    ...window,
    view: { head: view.head, messages: kept },
    complete: window.complete && kept.length === view.messages.length,
    live,
  };
}

/** A page's messages, ascending, with the events that this device applied after it was made. */
function brought(window: RoomWindow, page: MessagePage): readonly Message[] | undefined {
  const messages = page.messages.toReversed();
  if (page.head >= window.view.head) return messages;
  if ((window.recent[0]?.seq ?? Infinity) > page.head + 1) return undefined;
  const since = window.recent.filter((each) => each.seq > page.head);
  return since.reduce<readonly Message[]>(applyToMessages, messages);
}

function applied(window: RoomWindow, event: RoomEvent): RoomWindow {
  const { view } = window;
  const begins = event.type === "message.created";
  return {
    ...window,
    view: begins && !window.live ? { head: event.seq, messages: view.messages } : apply(view, event),
    notices: isNotice(event) ? [...window.notices, event].slice(-MAX_NOTICES) : window.notices,
    recent: [...window.recent.slice(-MAX_RECENT + 1), event],
  };
}

function waiting(early: readonly RoomEvent[], event: RoomEvent): readonly RoomEvent[] {
  const place = early.findLastIndex((each) => each.seq <= event.seq);
  if (early[place]?.seq === event.seq) return early;
  return early.toSpliced(place + 1, 0, event).slice(-MAX_EARLY);
}

function cut(window: RoomWindow): RoomWindow {
  if (window.view.messages.length <= 2 * MAX_MESSAGES) return window;
  const messages = window.view.messages.slice(-MAX_MESSAGES);
  return { ...window, view: { head: window.view.head, messages }, complete: false };
}

/** Whether an event is shown between messages. */
export function isNotice(event: RoomEvent): event is TimelineNotice["event"] {
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
