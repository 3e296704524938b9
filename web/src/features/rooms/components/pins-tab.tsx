import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Pin, PinOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { IconButton } from "@/components/ui/icon-button";
import { ScrollArea } from "@/components/ui/scroll-area";
import { Skeleton } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";
import { plainText } from "@/lib/markdown";
import { roomPath } from "@/lib/paths";
import { allowedInRoom } from "@/lib/permissions";
import { useTimes } from "@/lib/time";
import { useDelayed } from "@/lib/use-delayed";
import { unpinMessage, useProfile, useSession, type Message, type Pins, type RoomIdentity } from "@/realtime";
import { listPins } from "../api/list-pins";
import { pinsKey } from "../hooks/use-room-details";

/** Characters of a message: more than four lines hold. */
const MAX_SHOWN = 400;

/** What is pinned, the latest first; each leads to its place. */
export function PinsTab({ room }: { room: RoomIdentity }) {
  const { t } = useTranslation("rooms");
  const queries = useQueryClient();
  const role = useSession()?.user.role ?? "guest";
  const { data, error, isPending, refetch } = useQuery({
    queryKey: pinsKey(room.id),
    queryFn: ({ signal }) => listPins(room.id, signal),
  });
  const waiting = useDelayed(isPending);
  if (error !== null && data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (isPending) {
    return (
      <div aria-busy="true" className="flex flex-col gap-3 p-4">
        {waiting && [0, 1, 2].map((index) => <Skeleton key={index} className="h-16" />)}
      </div>
    );
  }
  if (data.messages.length === 0) {
    return (
      <EmptyState icon={Pin} title={t("pins.empty")}>
        {t("pins.emptyText")}
      </EmptyState>
    );
  }
  const unpin = (message: Message) => {
    queries.setQueryData<Pins>(pinsKey(room.id), (pins) =>
      pins === undefined ? pins : { messages: pins.messages.filter((one) => one.id !== message.id) },
    );
    void unpinMessage(room.id, message.id);
  };
  const mayPin = allowedInRoom(role, room.role, "pin");
  return (
    <ScrollArea className="py-1">
      <ul>
        {data.messages.map((message) => (
          <PinRow key={message.id} message={message} onUnpin={mayPin ? () => unpin(message) : undefined} />
        ))}
      </ul>
    </ScrollArea>
  );
}

function PinRow({ message, onUnpin }: { message: Message; onUnpin: (() => void) | undefined }) {
  const { t } = useTranslation("rooms");
  const times = useTimes();
  const author = useProfile(message.sender_id);
  return (
    <li className="relative border-b hover:bg-accent">
      <Link
        to={roomPath(message.room_id, message.id)}
        className={cn("block px-4 py-2.5 focus-visible:-outline-offset-2", onUnpin !== undefined && "pe-12")}
      >
        <p className="flex items-baseline gap-2">
          <bdi className="truncate font-semibold">{author?.display_name ?? t("members.gone")}</bdi>
          <time className="shrink-0 text-xs text-muted-foreground" dateTime={new Date(message.at).toISOString()}>
            {times.brief(message.at)}
          </time>
        </p>
        <p dir="auto" className="line-clamp-4 text-md break-words">
          {plainText(message.text, MAX_SHOWN)}
        </p>
      </Link>
      {onUnpin !== undefined && (
        <IconButton label={t("pins.unpin")} size="sm" className="absolute end-2 top-1.5" onClick={onUnpin}>
          <PinOff />
        </IconButton>
      )}
    </li>
  );
}
