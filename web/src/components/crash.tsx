import { useTranslation } from "react-i18next";
import { useEarlyEnd } from "@/lib/early";
import { Button } from "./ui/button";
import { EmptyState } from "./ui/empty-state";
import { CircleAlert } from "lucide-react";

export interface CrashProps {
  error: unknown;
  onRetry?: () => void;
  /** The whole app, rather than a part of it. */
  whole?: boolean;
}

/** What shows in place of a part that broke, with ways out. */
export function Crash({ error, onRetry, whole = false }: CrashProps) {
  const { t } = useTranslation();
  useEarlyEnd();
  const shown = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return (
    <div role="alert" className="flex min-h-0 flex-1 flex-col overflow-auto">
      <EmptyState
        icon={CircleAlert}
        title={t("errors.title")}
        action={
          <>
            {onRetry !== undefined && <Button onClick={onRetry}>{t("retry")}</Button>}
            <Button onClick={() => window.location.reload()}>{t("errors.reload")}</Button>
          </>
        }
      >
        {t(whole ? "errors.crashApp" : "errors.crash")}
        <details className="mt-3 text-start text-sm">
          <summary className="text-center">{t("errors.details")}</summary>
          <code className="mt-2 block font-mono text-xs break-words whitespace-pre-wrap select-text">{shown}</code>
        </details>
      </EmptyState>
    </div>
  );
}
