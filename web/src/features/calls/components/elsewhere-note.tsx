import { PhoneCall } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useCallName } from "../hooks/use-call-name";

/** That another tab is in a call, and with whom. */
export function ElsewhereNote({ roomId }: { roomId: string }) {
  const { t } = useTranslation("calls");
  const name = useCallName(roomId);
  return (
    <div
      role="status"
      className="fixed start-1/2 top-2 z-30 flex max-w-[calc(100vw-2rem)] -translate-x-1/2 items-center gap-2 rounded-lg border bg-popover px-3 py-1.5 text-sm shadow-md rtl:translate-x-1/2"
    >
      <PhoneCall aria-hidden className="size-4 shrink-0 text-success-text" />
      <span className="min-w-0 [overflow-wrap:anywhere]">
        {t("elsewhere")} <bdi className="text-muted-foreground">{name}</bdi>
      </span>
    </div>
  );
}
