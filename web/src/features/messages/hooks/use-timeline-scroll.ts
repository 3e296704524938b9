import { defaultRangeExtractor, useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";
import { flushSync } from "react-dom";
import { isFocusFree } from "@/lib/focus";
import { useDelayed } from "@/lib/use-delayed";
import { useConnection, useRoomsStatus, type Timeline } from "@/realtime";
import { useOpenRoom, useRoomUi } from "../model/room-ui";
import { indexOfSeq, isNewAbove, type Row } from "../model/rows";
import { useBeginning } from "./use-beginning";
import { useKeptEnd } from "./use-kept-end";

/** So near to the end is at the end. */
const END_PX = 60;
/** So few rows before the first one that is held, the next page is asked for. */
const NEAR_ROWS = 12;
const HIGHLIGHT_MS = 1_600;
/** A slow connection takes so long to say what is new; who goes elsewhere by then is not held. */
const PATIENCE_MS = 4_000;
/** So much of what was read stays in sight above what one is led to. */
const CONTEXT_PX = 64;

/** A row's height before it is measured. */
function estimate(row: Row | undefined): number {
  if (row === undefined || row.kind === "start") return 120;
  return (row.kind === "notice" ? 28 : 46) + (row.day === undefined ? 0 : 36) + (row.unread ? 24 : 0);
}

/** By what is known of the rows: to ask the page would have it laid out in the midst of every scroll. */
function isNearEnd(virtualizer: Virtualizer<HTMLDivElement, Element>): boolean {
  const seen = (virtualizer.scrollOffset ?? 0) + (virtualizer.scrollRect?.height ?? 0);
  return virtualizer.getTotalSize() - seen <= END_PX;
}

export interface TimelineScroll {
  virtualizer: Virtualizer<HTMLDivElement, Element>;
  atEnd: boolean;
  /** It stands where one begins to read: only from then on may anything count as read. */
  begun: boolean;
  /** Show the row of an event, once it is held. */
  goTo: (seq: number) => void;
  toEnd: () => void;
  show: (index: number) => void;
  /** What comes before is being fetched, or could not be. */
  older: "loading" | "failed" | undefined;
  retryOlder: () => void;
}

/**
 * Where the timeline stands. It keeps to its end while it is there; otherwise what one reads stays where it is, whatever comes above
 * or changes its height (`anchorTo`).
 */
export function useTimelineScroll(
  rows: readonly Row[],
  timeline: Timeline,
  scroller: RefObject<HTMLDivElement | null>,
): TimelineScroll {
  const { ui } = useOpenRoom();
  const current = useRoomUi((state) => state.current);
  const editing = useRoomUi((state) => state.editing);
  const [atEnd, setAtEnd] = useState(true);
  const [goal, setGoal] = useState<number>();
  const [begun, setBegun] = useState(false);
  const [failed, setFailed] = useState(false);
  const online = useConnection().status === "online";
  const counted = useRoomsStatus() === "ready";
  const unreadAfter = useRoomUi((state) => state.unreadAfter);
  const { hasOlder, hasNewer, loadOlder, loadNewer } = timeline;

  // eslint-disable-next-line react-hooks/incompatible-library -- its functions are called, and never memoised
  const virtualizer = useVirtualizer<HTMLDivElement, Element>({
    count: rows.length,
    getScrollElement: () => scroller.current,
    getItemKey: (index) => rows[index]?.key ?? index,
    estimateSize: (index) => estimate(rows[index]),
    anchorTo: "end",
    followOnAppend: !hasNewer,
    scrollEndThreshold: END_PX,
    onChange: (instance) => setAtEnd(isNearEnd(instance)),
    overscan: 10,
    paddingStart: 8,
    scrollPaddingStart: CONTEXT_PX,
    paddingEnd: 12,
    // What has the focus or a text half written stays, however far one scrolls.
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      const kept = [current, editing].map((key) => (key === undefined ? -1 : rows.findIndex((row) => row.key === key)));
      return [...new Set([...shown, ...kept.filter((index) => index >= 0)])].sort((a, b) => a - b);
    },
  });

  // Changes are told of when other rows come into sight; the end may come into sight without.
  const scrolled = useCallback(() => setAtEnd(isNearEnd(virtualizer)), [virtualizer]);
  useEffect(() => {
    const element = scroller.current;
    element?.addEventListener("scroll", scrolled, { passive: true });
    return () => element?.removeEventListener("scroll", scrolled);
  }, [scroller, scrolled]);
  const toRow = useRef(false);
  const scrollToRow = useCallback(
    (index: number, align: "auto" | "center") => {
      toRow.current = true;
      virtualizer.scrollToIndex(index, { align });
    },
    [virtualizer],
  );
  const show = useCallback((index: number) => scrollToRow(index, "auto"), [scrollToRow]);
  const toEnd = useCallback(() => {
    setGoal(undefined);
    flushSync(() => setBegun(true)); // what stands it at its beginning is over before it goes elsewhere
    toRow.current = false;
    virtualizer.scrollToEnd();
  }, [virtualizer]);

  const onBegun = useCallback(() => {
    scrolled();
    setBegun(true);
  }, [scrolled]);

  useKeptEnd(virtualizer, scroller, atEnd);

  // A way to a row is by its index, which is another row's once older ones have come before it.
  const firstKey = rows[0]?.key;
  useLayoutEffect(() => {
    if (toRow.current) virtualizer.cancelScroll();
  }, [firstKey, virtualizer]);

  // One begins at what is new, or at the end. What the device kept may lack what is new, or what was read elsewhere: then it is
  // waited for at the end, but not for long.
  const ready = rows.length > 0 && timeline.status === "ready";
  const unread = rows.findIndex((row) => row.kind !== "start" && row.unread);
  const above = isNewAbove(timeline.items, { complete: !hasOlder, unreadAfter });
  const patient = useDelayed(ready, PATIENCE_MS);
  const known = ready && (patient || (counted && (unreadAfter === undefined || unread >= 0 || above)));
  const items = virtualizer.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  const nearFirst = hasOlder && rows.length > 0 && first < NEAR_ROWS;
  const wantsNewer = hasNewer && last > rows.length - NEAR_ROWS;
  useBeginning(virtualizer, {
    begun,
    index: rows.length === 0 ? undefined : known ? unread : -1,
    known,
    rowKey: rows.at(known ? unread : -1)?.key, // the last one's where nothing is new
    growing: nearFirst && known && unread >= 0 && !failed,
    onBegun,
  });
  // On the way to the end, what comes first is in sight only because nobody is there yet.
  const wantsOlder = nearFirst && (begun || (known && unread >= 0));

  useEffect(() => {
    if (goal === undefined || !begun) return;
    const index = indexOfSeq(rows, goal);
    const row = rows[index];
    if (row === undefined) return; // not held yet
    scrollToRow(index, "center");
    setGoal(undefined);
    // Whoever came by keys goes on from here: what led here may have gone with its page.
    if (isFocusFree()) scroller.current?.focus({ preventScroll: true });
    if (row.kind !== "message") return;
    ui.setState({ highlighted: row.key });
    setTimeout(() => {
      ui.setState(({ highlighted }) => (highlighted === row.key ? { highlighted: undefined } : {}));
    }, HIGHLIGHT_MS);
  }, [goal, begun, rows, ui, scrollToRow, scroller]);

  useEffect(() => {
    if (wantsOlder && !failed) loadOlder().catch(() => setFailed(true));
  }, [wantsOlder, failed, loadOlder, rows]);
  useEffect(() => {
    if (online) setFailed(false);
  }, [online]);
  useEffect(() => {
    if (wantsNewer) loadNewer().catch(() => undefined);
  }, [wantsNewer, loadNewer, rows]);

  const older = !wantsOlder ? undefined : failed ? "failed" : "loading";
  return { virtualizer, atEnd, begun, goTo: setGoal, toEnd, show, older, retryOlder: () => setFailed(false) };
}
