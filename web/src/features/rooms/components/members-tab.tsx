import { useEffect, useMemo, useState } from "react";
import { UserPlus } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { IconButton } from "@/components/ui/icon-button";
import { Input } from "@/components/ui/input";
import { ScrollArea } from "@/components/ui/scroll-area";
import { Skeleton } from "@/components/ui/skeleton";
import { localeTag } from "@/lib/i18n";
import { allowedInRoom } from "@/lib/permissions";
import { useDelayed } from "@/lib/use-delayed";
import { useSession, type RoomIdentity } from "@/realtime";
import { useMembers } from "../hooks/use-members";
import { listedMembers } from "../model/members";
import { openRoomDialog } from "../model/room-dialogs";
import { MemberRow } from "./member-row";

/** Who is in the room. */
export function MembersTab({ room }: { room: RoomIdentity }) {
  const { t, i18n } = useTranslation("rooms");
  const role = useSession()?.user.role ?? "guest";
  const [text, setText] = useState("");
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useMembers(room.id);
  const waiting = useDelayed(isPending);
  // Whoever searches means all members, not those of the pages that are here.
  const searching = text.trim() !== "";
  useEffect(() => {
    if (searching && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [searching, hasNextPage, isFetchingNextPage, fetchNextPage]);
  const compare = useMemo(() => new Intl.Collator(localeTag(i18n.language)).compare, [i18n.language]);
  if (error !== null && data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  const members = listedMembers(data?.pages.flatMap((page) => page.members) ?? [], text, compare);
  return (
    <>
      <div className="flex items-center gap-1.5 px-4 pt-3 pb-2">
        <Input
          type="search"
          aria-label={t("members.search")}
          placeholder={t("members.search")}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {allowedInRoom(role, room.role, "invite") && (
          <IconButton label={t("invite.title")} onClick={() => openRoomDialog({ kind: "invite", roomId: room.id })}>
            <UserPlus />
          </IconButton>
        )}
      </div>
      <ScrollArea className="px-2 pb-4" aria-busy={isPending}>
        {waiting && Array.from({ length: 5 }, (_, index) => <Skeleton key={index} className="mx-2 my-2 h-8" />)}
        <ul>
          {members.map((member) => (
            <MemberRow key={member.user_id} member={member} room={room} />
          ))}
        </ul>
        {members.length === 0 && !isPending && !isFetchingNextPage && (
          <p className="px-2 py-6 text-center text-muted-foreground">
            {t("people.none", { ns: "common", text: text.trim() })}
          </p>
        )}
        {hasNextPage && (
          <Button variant="ghost" className="w-full" busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {t("people.more", { ns: "common" })}
          </Button>
        )}
      </ScrollArea>
    </>
  );
}
