import { useCallback, useEffect, useLayoutEffect, useReducer, useRef, useState, type RefObject } from "react";
import { flushSync } from "react-dom";
import { focusQuietly, isFocusFree } from "@/lib/focus";
import { useDelayed } from "@/lib/use-delayed";
import { useConnection, useRoomsStatus, type Timeline } from "@/realtime";
import { useOpenRoom, useRoomUi } from "../model/room-ui";
import { indexOfSeq, isNewAbove, seqOf, type Row } from "../model/rows";
import { RowList } from "./row-list";
import { useBeginning } from "./use-beginning";

/** So few rows before the first one that is held, the next page is asked for. */
const NEAR_ROWS = 12;
const HIGHLIGHT_MS = 1_600;
/** A slow connection takes so long to say what is new; who goes elsewhere by then is not held. */
const PATIENCE_MS = 4_000;

/** A row that is to be drawn. */
export interface DrawnRow {
  index: number;
  row: Row;
  /** Where it stands, for one that is out of the flow: far from what is in sight, and drawn as one is at it. */
  top: number | undefined;
}

export interface TimelineScroll {
  drawn: readonly DrawnRow[];
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

/** Which rows are drawn, and where the timeline stands: see `RowList`. `scroller` is around `content`, which the rows are in. */
export function useTimelineScroll(
  rows: readonly Row[],
  timeline: Timeline,
  scroller: RefObject<HTMLDivElement | null>,
  content: RefObject<HTMLDivElement | null>,
): TimelineScroll {
  const { ui } = useOpenRoom();
  const current = useRoomUi((state) => state.current);
  const editing = useRoomUi((state) => state.editing);
  const [goal, setGoal] = useState<{ seq: number }>();
  const reached = useRef<{ seq: number }>(undefined);
  const [begun, setBegun] = useState(false);
  const [failed, setFailed] = useState(false);
  const online = useConnection().status === "online";
  const [wasOnline, setWasOnline] = useState(online);
  if (online !== wasOnline) {
    setWasOnline(online);
    if (online) setFailed(false);
  }
  const counted = useRoomsStatus() === "ready";
  const unreadAfter = useRoomUi((state) => state.unreadAfter);
  const { hasOlder, hasNewer, loadOlder, loadNewer } = timeline;

  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [list] = useState(() => new RowList((now) => (now ? flushSync(redraw) : redraw())));
  const span = list.span(rows);
  const { from, to } = span;
  // What has the focus or a text half written stays, however far one scrolls.
  const kept = [current, editing].map((key) => (key === undefined ? -1 : rows.findIndex((row) => row.key === key)));
  const far = kept.filter((index) => index >= 0 && (index < from || index >= to));
  const indexes = [...new Set(far), ...Array.from({ length: to - from }, (_, place) => from + place)];
  indexes.sort((a, b) => a - b);
  const drawn = indexes.flatMap((index): DrawnRow[] => {
    const row = rows[index];
    if (row === undefined) return [];
    return [{ index, row, top: index < from || index >= to ? list.outOf(span, rows, index) : undefined }];
  });
  const places = indexes.join(" ");

  useLayoutEffect(() => {
    if (scroller.current === null || content.current === null) return undefined;
    return list.connect(scroller.current, content.current);
  }, [list, scroller, content]);
  useLayoutEffect(() => {
    list.commit(rows, { from, to }, places.split(" ").map(Number), !hasNewer);
  }, [list, rows, from, to, places, hasNewer]);

  const show = useCallback((index: number) => list.toRow(index, "auto"), [list]);
  const toEnd = useCallback(() => {
    setGoal(undefined);
    flushSync(() => setBegun(true)); // what stands it at its beginning is over before it goes elsewhere
    list.toEnd();
  }, [list]);
  const onBegun = useCallback(() => setBegun(true), []);
  const goTo = useCallback((seq: number) => setGoal({ seq }), []);

  // One begins at what is new, or at the end. What the device kept may lack what is new, or what was read elsewhere: then it is
  // waited for at the end, but not for long.
  const ready = rows.length > 0 && timeline.status === "ready";
  const unread = rows.findIndex((row) => row.kind !== "start" && row.unread);
  const above = isNewAbove(timeline.items, { complete: !hasOlder, unreadAfter });
  const patient = useDelayed(ready, PATIENCE_MS);
  const known = ready && (patient || (counted && (unreadAfter === undefined || unread >= 0 || above)));
  const nearFirst = hasOlder && rows.length > 0 && from < NEAR_ROWS;
  const wantsNewer = hasNewer && to > rows.length - NEAR_ROWS;
  useBeginning(list, scroller, {
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
    if (goal === undefined || reached.current === goal || !begun) return;
    const index = indexOfSeq(rows, goal.seq);
    const row = rows[index];
    const begins = rows.map(seqOf).find((seq) => seq !== undefined) ?? 0;
    if (row === undefined || (hasOlder && begins > goal.seq)) return; // not held yet
    list.toRow(index, "center");
    reached.current = goal;
    // Whoever came by keys goes on from here: what led here may have gone with its page.
    if (isFocusFree()) focusQuietly(scroller.current);
    if (row.kind !== "message") return;
    ui.setState({ highlighted: row.key });
    setTimeout(() => {
      ui.setState(({ highlighted }) => (highlighted === row.key ? { highlighted: undefined } : {}));
    }, HIGHLIGHT_MS);
  }, [goal, begun, rows, hasOlder, ui, list, scroller]);

  useEffect(() => {
    if (wantsOlder && !failed) loadOlder().catch(() => setFailed(true));
  }, [wantsOlder, failed, loadOlder, rows]);
  useEffect(() => {
    if (wantsNewer) loadNewer().catch(() => undefined);
  }, [wantsNewer, loadNewer, rows]);

  const older = !wantsOlder ? undefined : failed ? "failed" : "loading";
  return { drawn, atEnd: list.atEnd, begun, goTo, toEnd, show, older, retryOlder: () => setFailed(false) };
}
