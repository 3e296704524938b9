import { LogIn, LogOut, PencilLine, Phone, PhoneMissed } from "lucide-react";
import { memo } from "react";
import { useTexts } from "@/lib/i18n";
import { useTimes } from "@/lib/time";
import { isolated } from "../model/inline";
import { useProfile, useSession, type TimelineNotice } from "@/realtime";

type Event = TimelineNotice["event"];

/** What happened in the room, in one quiet line. */
export const NoticeRow = memo(function NoticeRow({ notice }: { notice: TimelineNotice }) {
  const { event } = notice;
  const times = useTimes();
  const text = useNoticeText(event);
  return (
    <div className="flex min-w-0 gap-3 px-4 py-1 text-sm text-muted-foreground md:px-5">
      <span className="flex h-4.5 w-9 shrink-0 items-center justify-center">
        <NoticeIcon event={event} />
      </span>
      <p className="min-w-0 [overflow-wrap:anywhere]">
        {text} <time className="ms-1 text-xs whitespace-nowrap">{times.time(notice.at)}</time>
      </p>
    </div>
  );
});

function NoticeIcon({ event }: { event: Event }) {
  const looks = { "aria-hidden": true, className: "size-4" } as const;
  switch (event.type) {
    case "member.joined":
      return <LogIn {...looks} />;
    case "member.left":
      return <LogOut {...looks} />;
    case "room.updated":
      return <PencilLine {...looks} />;
    case "call.started":
      return <Phone {...looks} />;
    case "call.ended":
      return event.data.missed ? <PhoneMissed {...looks} /> : <Phone {...looks} />;
  }
}

function useNoticeText(event: Event): string {
  const t = useTexts("messages");
  const times = useTimes();
  const me = useSession()?.user.id;
  const subject = event.type === "member.joined" || event.type === "member.left" ? event.data.user_id : event.sender_id;
  const actor = isolated(useProfile(event.sender_id)?.display_name ?? t("somebody"));
  const name = isolated(useProfile(subject)?.display_name ?? t("somebody"));
  const self = subject === event.sender_id;
  switch (event.type) {
    case "member.joined":
      return self ? t("notice.joined", { name }) : t("notice.added", { actor, name });
    case "member.left":
      return self ? t("notice.left", { name }) : t("notice.removed", { actor, name });
    case "room.updated": {
      const { name: title, topic, kind } = event.data;
      if (title !== undefined) return t("notice.renamed", { actor, title: isolated(title) });
      if (topic !== undefined)
        return topic === "" ? t("notice.noTopic", { actor }) : t("notice.topic", { actor, topic: isolated(topic) });
      if (kind !== undefined) return kind === "public" ? t("notice.public", { actor }) : t("notice.private", { actor });
      return t("notice.roles", { actor });
    }
    case "call.started":
      return t("notice.callStarted", { actor });
    case "call.ended": {
      const { missed, reason, duration_ms } = event.data;
      if (duration_ms > 0) return t("notice.callEnded", { actor, duration: times.duration(duration_ms) });
      if (missed) return event.sender_id === me ? t("notice.callUnanswered") : t("notice.callMissed", { actor });
      if (reason === "declined" || reason === "busy" || reason === "cancelled")
        return t(`notice.call.${reason}`, { actor });
      return t("notice.callOver", { actor });
    }
  }
}
