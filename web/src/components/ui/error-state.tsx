import { CircleAlert, WifiOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useErrorText } from "@/lib/error-text";
import { ApiError } from "@/lib/http";
import { Button } from "./button";
import { EmptyState } from "./empty-state";

export interface ErrorStateProps {
  error: unknown;
  /** Offered where trying again may help. */
  onRetry?: (() => void) | undefined;
  className?: string;
}

/** A view that could not be had: what went wrong, and a way on. */
export function ErrorState({ error, onRetry, className }: ErrorStateProps) {
  const { t } = useTranslation();
  const text = useErrorText();
  const unreachable = error instanceof ApiError && error.status === 0;
  return (
    <div role="alert" className="flex min-h-0 flex-1">
      <EmptyState
        icon={unreachable ? WifiOff : CircleAlert}
        title={t("errors.title")}
        action={onRetry !== undefined && <Button onClick={onRetry}>{t("retry")}</Button>}
        {...(className === undefined ? {} : { className })}
      >
        {text(error)}
      </EmptyState>
    </div>
  );
}
