import { useMutation, useQuery } from "@tanstack/react-query";
import { DoorOpen, Lock } from "lucide-react";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { useErrorText } from "@/lib/error-text";
import { ApiError } from "@/lib/http";
import { toast } from "@/lib/toast";
import { useStrandedDraft, useUnsentTexts } from "@/realtime";
import { getRoom } from "../api/get-room";
import { joinRoom } from "../api/join-room";
import { TimelineSkeleton } from "./timeline-skeleton";

const UnsentList = lazy(async () => ({ default: (await import("./unsent-list")).UnsentList }));

/** In place of a room that one is not in: what it is, and what one wrote there that never arrived. */
export function NotAMember({ roomId }: { roomId: string }) {
  const texts = useUnsentTexts(roomId);
  const draft = useStrandedDraft(roomId);
  return (
    <>
      <Outside roomId={roomId} />
      {(texts.length > 0 || draft !== "") && (
        <Suspense>
          <UnsentList roomId={roomId} texts={texts} draft={draft} />
        </Suspense>
      )}
    </>
  );
}

/** To be joined where it is public, and else not to be seen. */
function Outside({ roomId }: { roomId: string }) {
  const { t } = useTranslation("messages");
  const errorText = useErrorText();
  const room = useQuery({ queryKey: ["room", roomId, "details"], queryFn: ({ signal }) => getRoom(roomId, signal) });
  const join = useMutation({
    mutationFn: () => joinRoom(roomId),
    onError: (error) => toast(errorText(error), { kind: "error" }),
  });
  if (room.isPending) return <TimelineSkeleton />;
  if (room.isError) {
    if (!(room.error instanceof ApiError) || room.error.status !== 404)
      return <ErrorState error={room.error} onRetry={() => void room.refetch()} />;
    return (
      <EmptyState icon={Lock} title={t("notMember.hidden")}>
        {t("notMember.hiddenText")}
      </EmptyState>
    );
  }
  const { name, topic, member_count } = room.data;
  return (
    <EmptyState
      icon={DoorOpen}
      title={<bdi className="[overflow-wrap:anywhere]">{name}</bdi>}
      action={
        <Button variant="primary" busy={join.isPending} onClick={() => join.mutate()}>
          {t("notMember.join")}
        </Button>
      }
    >
      {topic !== "" && (
        <p dir="auto" className="mb-1 [overflow-wrap:anywhere]">
          {topic}
        </p>
      )}
      <p>{t("notMember.members", { count: member_count })}</p>
    </EmptyState>
  );
}
