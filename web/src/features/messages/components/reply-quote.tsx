import { CornerUpLeft } from "lucide-react";
import { useTexts } from "@/lib/i18n";
import { useProfile } from "@/realtime";
import { useQuoted } from "../hooks/use-quoted";
import { plainText } from "@/lib/markdown";
import { useOpenRoom } from "../model/room-ui";

/** What a message answers, in one line above it; leads there. */
export function ReplyQuote({ messageId }: { messageId: string }) {
  const t = useTexts("messages");
  const { roomId, jumpTo } = useOpenRoom();
  const quoted = useQuoted(roomId, messageId);
  const author = useProfile(quoted?.sender_id ?? "");
  const gone = quoted === null || quoted?.deleted_at !== undefined;
  return (
    <button
      type="button"
      disabled={gone}
      onClick={() => jumpTo(messageId)}
      className="flex h-5 max-w-full min-w-0 items-center gap-1.5 rounded-xs text-sm text-muted-foreground enabled:hover:text-foreground touch:h-8"
    >
      <span className="sr-only">{t("reply.jump")}</span>
      <CornerUpLeft aria-hidden className="size-3.5 shrink-0 rtl:-scale-x-100" />
      {gone ? (
        <span className="italic">{t("reply.gone")}</span>
      ) : (
        <>
          <bdi className="max-w-[min(10rem,50%)] shrink-0 truncate font-medium">{author?.display_name ?? ""}</bdi>
          <bdi className="truncate">{quoted === undefined ? "" : plainText(quoted.text, 120)}</bdi>
        </>
      )}
    </button>
  );
}
