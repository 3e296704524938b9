import { memo } from "react";
import { useTranslation } from "react-i18next";
import { useSession, useTyping } from "@/realtime";
import { useNames } from "../hooks/use-names";

const NAMED = 3;

/** Who is typing, in a line that is always there: nothing moves when somebody begins. */
export const TypingLine = memo(function TypingLine({ roomId }: { roomId: string }) {
  const { t } = useTranslation("messages");
  const me = useSession()?.user.id;
  const typing = useTyping(roomId).filter((id) => id !== me);
  const names = useNames(typing, NAMED);
  return (
    <p aria-live="polite" className="h-5 truncate px-1 text-xs leading-5 text-muted-foreground">
      {typing.length > 0 && t("typing", { names, count: typing.length })}
    </p>
  );
});
