import { RotateCw } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import { useDelayed } from "@/lib/use-delayed";

/** Over the top of the timeline while older messages come, or did not. */
export function OlderState({ failed, onRetry }: { failed: boolean; onRetry: () => void }) {
  const { t } = useTranslation("messages");
  const shown = useDelayed(!failed, 300);
  if (!failed && !shown) return null;
  return (
    <div className="pointer-events-none absolute inset-x-0 top-2 flex justify-center">
      {failed ? (
        <Button size="sm" className="pointer-events-auto rounded-full shadow-md" onClick={onRetry}>
          <RotateCw aria-hidden />
          {t("timeline.olderFailed")}
        </Button>
      ) : (
        <span className="rounded-full border bg-popover p-1.5 shadow-sm">
          <Spinner className="size-4" />
        </span>
      )}
    </div>
  );
}
