import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { announceOneOfMany, dropWaiting } from "@/lib/announce";
import { useProfile, useSession, type TimelineItem } from "@/realtime";
import { plainText } from "@/lib/markdown";

/** Says to people who use a screen reader what others write while they are at the end of the room. */
export function useArrivals(items: readonly TimelineItem[], live: boolean): void {
  const { t } = useTranslation("messages");
  const me = useSession()?.user.id;
  const last = items.at(-1);
  const message = last?.type === "message" && last.sender_id !== me && last.deleted_at === undefined ? last : undefined;
  const name = useProfile(message?.sender_id ?? "")?.display_name;
  const said = useRef(last?.seq ?? 0);
  const begun = useRef(false);
  useEffect(() => {
    const { seq = 0, text = "" } = message ?? {};
    if (begun.current && live && name !== undefined && seq > said.current)
      announceOneOfMany(t("message.arrived", { name, text: plainText(text) }));
    if (message === undefined || name !== undefined) said.current = Math.max(said.current, last?.seq ?? 0);
    begun.current ||= last !== undefined;
  }, [message, last, live, name, t]);
  useEffect(() => dropWaiting, []); // of a room that is not shown any more
}
