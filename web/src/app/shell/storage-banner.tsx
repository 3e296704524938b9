import { HardDrive } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useOutboxCount } from "@/realtime";

/** A quiet line where the browser keeps nothing; the browser asks before it closes a page that holds something unsent. */
export function StorageBanner() {
  const { t } = useTranslation();
  const holds = useOutboxCount() > 0;
  useEffect(() => {
    if (!holds) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [holds]);
  return (
    <div className="flex min-h-9 shrink-0 items-center justify-center gap-2.5 border-b bg-muted px-4 py-1 text-sm text-muted-foreground">
      <HardDrive aria-hidden className="size-4 shrink-0" />
      <span role="status">{t("connection.keepsNothing")}</span>
    </div>
  );
}
