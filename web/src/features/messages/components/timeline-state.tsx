import { CircleAlert, CloudOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import type { TimelineStatus } from "@/realtime";
import { TimelineSkeleton } from "./timeline-skeleton";

/** In place of messages while there are none to show: loading, offline with nothing kept, or an error. */
export function TimelineState({ status, onRetry }: { status: TimelineStatus; onRetry: () => void }) {
  const { t } = useTranslation("messages");
  const { t: common } = useTranslation();
  if (status === "offline-empty") {
    return (
      <EmptyState icon={CloudOff} title={t("timeline.offline")}>
        {t("timeline.offlineText")}
      </EmptyState>
    );
  }
  if (status === "error") {
    return (
      <div role="alert" className="flex min-h-0 flex-1">
        <EmptyState
          icon={CircleAlert}
          title={t("timeline.error")}
          action={<Button onClick={onRetry}>{common("retry")}</Button>}
        />
      </div>
    );
  }
  return <TimelineSkeleton />;
}
