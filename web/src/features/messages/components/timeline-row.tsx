import { memo } from "react";
import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";
import type { RoomState } from "@/realtime";
import type { Row } from "../model/rows";
import { DayLine } from "./day-line";
import { MessageRow } from "./message-row";
import { NoticeRow } from "./notice-row";
import { StartRow } from "./start-row";

export interface TimelineRowProps {
  row: Row;
  /** Its place among all rows. */
  index: number;
  /** Where it stands out of the flow; undefined in it. */
  top: number | undefined;
  /** For the row above the first message alone: a room changes with each event, and would have all rows drawn. */
  room: RoomState | undefined;
  /** Who has read up to this row's message and no further, their ids joined by spaces: equal for `memo` while nothing changed. */
  readers: string;
  canReact: boolean;
}

/** A row with the lines above it. It is drawn again only when it changes itself, not with scrolling nor with other rows. */
export const TimelineRow = memo(function TimelineRow({ row, index, top, room, readers, canReact }: TimelineRowProps) {
  return (
    <div
      data-index={index}
      className={cn("flow-root [contain:layout_style]", top !== undefined && "absolute inset-x-0")}
      style={{ top }}
    >
      {row.kind !== "start" && row.day !== undefined && <DayLine at={row.day} />}
      {row.kind !== "start" && row.unread && <UnreadLine />}
      {row.kind === "message" ? (
        <MessageRow
          message={row.message}
          grouped={row.grouped}
          readers={readers}
          canReact={canReact && row.message.seq > 0}
        />
      ) : row.kind === "notice" ? (
        <NoticeRow notice={row.notice} />
      ) : (
        room !== undefined && <StartRow room={room} />
      )}
    </div>
  );
});

function UnreadLine() {
  const { t } = useTranslation("messages");
  return (
    <div role="separator" aria-label={t("unread.line")} className="flex items-center gap-2 px-4 pt-2 md:px-5">
      <span className="h-px flex-1 bg-destructive/60" />
      <span className="text-xs font-semibold text-destructive-text">{t("unread.line")}</span>
    </div>
  );
}
