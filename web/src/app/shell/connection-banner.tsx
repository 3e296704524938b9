import { CloudOff, RefreshCw } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { useCountdown } from "@/lib/use-countdown";
import { useDelayed } from "@/lib/use-delayed";
import { reconnect, useConnection } from "@/realtime";

/** A hiccup shorter than this is nobody's concern. */
const PATIENCE_MS = 1_500;

/** A quiet line above the page while the server is not reached: what is the matter, and what one can do. */
export function ConnectionBanner() {
  const { t } = useTranslation();
  const { status, retryAt } = useConnection();
  const seconds = useCountdown(retryAt);
  const away = status !== "online" && status !== "signed-out" && status !== "connecting";
  const shown = useDelayed(away, PATIENCE_MS);
  if (!shown || !away) return <div role="status" className="sr-only" />;

  const reconnecting = status === "reconnecting";
  const text = reconnecting && seconds > 1 ? t("connection.retryIn", { count: seconds }) : t(`connection.${status}`);
  const action = status === "displaced" ? t("connection.useHere") : reconnecting ? t("connection.retryNow") : undefined;
  const Icon = status === "offline" || status === "displaced" ? CloudOff : RefreshCw;
  return (
    <div className="flex min-h-9 shrink-0 animate-fade-in items-center justify-center gap-2.5 border-b bg-warning-ground px-4 py-1 text-sm text-warning-text">
      <Icon aria-hidden className="size-4 shrink-0" />
      {/* The seconds count silently: only a change of state is said. */}
      <span role="status" className="sr-only">
        {t(`connection.${status}`)}
      </span>
      <span aria-hidden>{text}</span>
      {action !== undefined && (
        <Button variant="link" size="sm" className="text-warning-text underline" onClick={reconnect}>
          {action}
        </Button>
      )}
    </div>
  );
}
