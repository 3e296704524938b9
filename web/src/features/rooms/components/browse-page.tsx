import { keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Compass, Plus, Search } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { Page, PageHeader } from "@/components/page";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Input } from "@/components/ui/input";
import { ScrollArea } from "@/components/ui/scroll-area";
import { Skeleton } from "@/components/ui/skeleton";
import { usePageTitle } from "@/lib/page-title";
import { roomPath } from "@/lib/paths";
import { toast } from "@/lib/toast";
import { useDebounced } from "@/lib/use-debounced";
import { useDelayed } from "@/lib/use-delayed";
import type { BrowsedRoom } from "@/realtime";
import { browseRooms } from "../api/browse-rooms";
import { joinRoom } from "../api/join-room";
import { useRoomErrorText } from "../hooks/use-room-error-text";
import { openRoomDialog } from "../model/room-dialogs";
import { BrowsedRow } from "./browsed-row";

/** All public rooms: finding one, seeing how many are in it, joining it. */
export function BrowsePage() {
  const { t } = useTranslation("rooms");
  usePageTitle(t("browse.title"));
  const [text, setText] = useState("");
  return (
    <Page
      header={
        <PageHeader
          title={t("browse.title")}
          actions={
            <Button size="sm" onClick={() => openRoomDialog({ kind: "create" })}>
              <Plus aria-hidden />
              {t("create.short")}
            </Button>
          }
        />
      }
    >
      <div className="mx-auto w-full max-w-3xl px-4 pt-4 pb-3">
        <div className="relative">
          <Search
            aria-hidden
            className="pointer-events-none absolute start-3 top-1/2 size-4 -translate-y-1/2 text-muted-foreground"
          />
          <Input
            type="search"
            aria-label={t("browse.search")}
            placeholder={t("browse.search")}
            className="ps-9"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
      </div>
      <RoomsFound q={useDebounced(text.trim())} />
    </Page>
  );
}

function RoomsFound({ q }: { q: string }) {
  const { t } = useTranslation("rooms");
  const navigate = useNavigate();
  const queries = useQueryClient();
  const errorText = useRoomErrorText();
  const query = useInfiniteQuery({
    queryKey: ["rooms", "public", q],
    queryFn: ({ pageParam, signal }) => browseRooms(q, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
  const join = useMutation({
    mutationFn: (room: BrowsedRoom) => joinRoom(room.id),
    onSuccess: (_, room) => {
      void queries.invalidateQueries({ queryKey: ["rooms", "public"] });
      void navigate(roomPath(room.id));
    },
    onError: (error) => toast(errorText(error), { kind: "error" }),
  });
  const waiting = useDelayed(query.isPending);
  if (query.isError && query.data === undefined) {
    return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  }
  const rooms = query.data?.pages.flatMap((page) => page.rooms) ?? [];
  if (rooms.length === 0 && !query.isPending) {
    return (
      <EmptyState
        icon={Compass}
        title={q === "" ? t("browse.empty") : t("browse.none", { text: q })}
        action={
          <Button variant="primary" onClick={() => openRoomDialog({ kind: "create", name: q })}>
            {t("create.title")}
          </Button>
        }
      >
        {q === "" ? t("browse.emptyText") : t("browse.noneText")}
      </EmptyState>
    );
  }
  return (
    <ScrollArea aria-busy={query.isPending}>
      <div className="mx-auto w-full max-w-3xl px-4 pb-8">
        {waiting && Array.from({ length: 6 }, (_, index) => <Skeleton key={index} className="my-3 h-10 w-full" />)}
        <ul>
          {rooms.map((room) => (
            <BrowsedRow
              key={room.id}
              room={room}
              busy={join.isPending && join.variables.id === room.id}
              onJoin={() => {
                if (!join.isPending) join.mutate(room);
              }}
            />
          ))}
        </ul>
        {query.hasNextPage && (
          <Button
            className="mx-auto mt-4 flex"
            busy={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            {t("browse.more")}
          </Button>
        )}
      </div>
    </ScrollArea>
  );
}
