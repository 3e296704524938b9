import { useImperativeHandle, useMemo, useRef, type Ref } from "react";
import { useTexts } from "@/lib/i18n";
import { allowedInRoom } from "@/lib/permissions";
import { useReadMarkers, useSession, type RoomState, type Timeline as TimelineState } from "@/realtime";
import { useArrivals } from "../hooks/use-arrivals";
import { ListedMessageKeys, useMessageKeys } from "../hooks/use-message-keys";
import { usePassingRows } from "../hooks/use-passing-rows";
import { useReading } from "../hooks/use-reading";
import { useTimelineScroll } from "../hooks/use-timeline-scroll";
import { useRoomUi } from "../model/room-ui";
import { readersBySeq, rowsOf } from "../model/rows";
import { JumpBar } from "./jump-bar";
import { OlderState } from "./older-state";
import { TimelineRow } from "./timeline-row";

export interface TimelineHandle {
  goTo: (seq: number) => void;
  toEnd: () => void;
}

export interface TimelineProps {
  room: RoomState;
  timeline: TimelineState;
  ref: Ref<TimelineHandle>;
}

/** A room's messages, of which only those in sight are drawn. */
export function Timeline({ room, timeline, ref }: TimelineProps) {
  const t = useTexts("messages");
  const user = useSession()?.user;
  const me = user?.id ?? "";
  const unreadAfter = useRoomUi((state) => state.unreadAfter);
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const { items, hasOlder, hasNewer } = timeline;
  const rows = useMemo(
    () => rowsOf(items, { me, complete: !hasOlder, unreadAfter }),
    [items, me, hasOlder, unreadAfter],
  );
  const reads = useReadMarkers(room.id);
  const readers = useMemo(() => readersBySeq(items, reads, me), [items, reads, me]);
  const { drawn, atEnd, begun, goTo, toEnd, show, older, retryOlder } = useTimelineScroll(
    rows,
    timeline,
    scroller,
    content,
  );
  usePassingRows(scroller);
  const press = useMessageKeys(rows, scroller, show);
  const live = atEnd && !hasNewer;
  useReading(room, live && begun);
  useArrivals(items, live);
  useImperativeHandle(ref, () => ({ goTo, toEnd }), [goTo, toEnd]);
  const canReact = user !== undefined && allowedInRoom(user.role, room.role, "react");

  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      {/* eslint-disable-next-line jsx-a11y-x/no-noninteractive-element-interactions -- keys that come up from its messages */}
      <div
        ref={scroller}
        role="log"
        aria-label={t("timeline.label")}
        aria-live="off"
        tabIndex={0} // eslint-disable-line jsx-a11y-x/no-noninteractive-tabindex -- it scrolls, and arrows go through it
        onKeyDown={press}
        className="flex min-h-0 flex-1 flex-col overflow-x-hidden overflow-y-auto overscroll-contain outline-offset-[-2px] [overflow-anchor:none] data-wheeling:*:pointer-events-none"
      >
        <div ref={content} className="relative mt-auto w-full shrink-0">
          {drawn.map(({ row, index, top }) => (
            <TimelineRow
              key={row.key}
              row={row}
              index={index}
              top={top}
              room={row.kind === "start" ? room : undefined}
              readers={row.kind === "message" ? (readers.get(row.message.seq)?.join(" ") ?? "") : ""}
              canReact={canReact}
            />
          ))}
        </div>
      </div>
      {older !== undefined && <OlderState failed={older === "failed"} onRetry={retryOlder} />}
      <ListedMessageKeys />
      <JumpBar room={room} timeline={timeline} live={live} onEnd={toEnd} />
    </div>
  );
}
