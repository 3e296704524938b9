import { memo } from "react";
import { useTranslation } from "react-i18next";
import type { RoomState } from "@/realtime";
import type { Row } from "../model/rows";
import { DayLine } from "./day-line";
import { MessageRow } from "./message-row";
import { NoticeRow } from "./notice-row";
import { StartRow } from "./start-row";

export interface TimelineRowProps {
  row: Row;
  room: RoomState;
  readers: ReadonlyMap<number, readonly string[]>;
  canReact: boolean;
}

/** A row with the lines above it. Scrolling alone, which goes through all rows in sight, does not draw it again. */
export const TimelineRow = memo(function TimelineRow({ row, room, readers, canReact }: TimelineRowProps) {
  if (row.kind === "start") return <StartRow room={room} />;
  return (
    <>
      {row.day !== undefined && <DayLine at={row.day} />}
      {row.unread && <UnreadLine />}
      {row.kind === "notice" ? (
        <NoticeRow notice={row.notice} />
      ) : (
        <MessageRow
          message={row.message}
          grouped={row.grouped}
          readers={readers.get(row.message.seq)?.join(" ") ?? ""}
          canReact={canReact && row.message.seq > 0}
        />
      )}
    </>
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
