import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Avatar } from "@/components/ui/avatar";
import { roomPath } from "@/lib/paths";
import { useRoomName } from "@/lib/room-name";
import { useTimes } from "@/lib/time";
import { useProfile, useRoom, type SearchHit } from "@/realtime";
import { pieces } from "../model/highlight";

export interface HitRowProps {
  hit: SearchHit;
  /** Say which room it is in: not where only one is searched. */
  withRoom: boolean;
  onOpen: () => void;
}

/** A message that matched; leads to its place. */
export function HitRow({ hit: { message, highlights }, withRoom, onOpen }: HitRowProps) {
  const { t } = useTranslation("search");
  const times = useTimes();
  const author = useProfile(message.sender_id);
  const room = useRoom(message.room_id);
  const nameOf = useRoomName();
  const name = author?.display_name ?? t("unknownAuthor");
  return (
    <li className="border-b">
      <Link
        to={roomPath(message.room_id, message.id)}
        className="flex gap-3 px-4 py-3 hover:bg-accent focus-visible:-outline-offset-2"
        onClick={onOpen}
      >
        <Avatar id={message.sender_id} name={name} size="md" className="mt-0.5" />
        <div className="min-w-0 flex-1">
          <p className="flex min-w-0 items-baseline gap-2">
            <span className="flex min-w-0 flex-1 flex-wrap items-baseline gap-x-2">
              <bdi className="truncate font-semibold">{name}</bdi>
              {withRoom && room !== undefined && (
                <bdi className="truncate text-sm text-muted-foreground">
                  {room.kind !== "direct"
                    ? `#${nameOf(room)}`
                    : room.peer?.id === message.sender_id
                      ? t("direct") // the room's name is the author's
                      : nameOf(room)}
                </bdi>
              )}
            </span>
            <time
              dateTime={new Date(message.at).toISOString()}
              title={times.full(message.at)}
              className="shrink-0 text-xs text-muted-foreground"
            >
              {times.brief(message.at)}
            </time>
          </p>
          <p dir="auto" className="mt-0.5 line-clamp-4 text-md break-words">
            {pieces(message.text, highlights).map((piece, index) =>
              piece.hit ? (
                <mark key={index} className="rounded-[3px] bg-mention font-medium text-mention-foreground">
                  {piece.text}
                </mark>
              ) : (
                piece.text
              ),
            )}
          </p>
        </div>
      </Link>
    </li>
  );
}
